#include "runtime/checkpoint.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace tpc {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view schema = "tpc.checkpoint/1";
constexpr size_t largestRecord = 1 << 22;

TensorToStore stored(const std::string& name, const std::vector<int64_t>& shape, const StepBuffer& buffer) {
  const bool isDouble = buffer.type == ElementType::f64;
  return {name, shape, isDouble ? StoredType::f64 : StoredType::f32, isDouble, buffer.data, buffer.count};
}

std::string hexOf(const std::string& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : bytes) text += digits[byte >> 4], text += digits[byte & 15];
  return text;
}

std::optional<std::string> bytesOf(const std::string& hex) {
  std::string bytes;
  if (hex.size() % 2 != 0 || hex.size() > 512) return std::nullopt;
  for (size_t i = 0; i < hex.size(); i += 2) {
    int value = 0;
    for (size_t k = i; k < i + 2; ++k) {
      const char c = hex[k];
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
      value = value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
    }
    bytes += char(value);
  }
  return bytes;
}

std::string recordText(const RunRecord& record) {
  Json json;
  json["schema"] = schema;
  json["tpc"] = record.tpc;
  json["model"] = record.model;
  json["step"] = record.step;
  json["seed"] = record.seed;
  if (std::isfinite(record.best)) {
    json["best"] = record.best;
    json["best_step"] = record.bestStep;
    json["since_best"] = record.sinceBest;
  }
  json["samples"] = record.samples;
  json["sizes"] = Json::object();
  for (const auto& [name, number] : record.sizes) json["sizes"][name] = number;
  json["multipliers"] = Json::object();
  for (const auto& [name, number] : record.multipliers) json["multipliers"][name] = number;
  json["options"] = Json::object();
  for (const auto& [name, text] : record.options) json["options"][name] = text;
  if (record.isText) json["text"] = true;
  if (!record.alphabet.empty()) json["alphabet"] = hexOf(record.alphabet);
  for (const auto& [name, scaling] : record.scaling)
    json["scaling"][name] = {{"shift", scaling.shift}, {"factor", scaling.factor}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Each throws nlohmann's exception where the document says something else, or std::invalid_argument.
double finite(const Json& json) {
  const double value = json.get<double>();
  if (!json.is_number() || !std::isfinite(value)) throw std::invalid_argument("a number is not finite");
  return value;
}
int64_t counter(const Json& json) {
  if (!json.is_number_integer() || (json.is_number_unsigned() && json.get<uint64_t>() > uint64_t(INT64_MAX)) ||
      json.get<int64_t>() < 0)
    throw std::invalid_argument("a counter is no whole number from 0 on");
  return json.get<int64_t>();
}

RunRecord recordOf(const Json& json) {
  RunRecord record;
  record.tpc = json.at("tpc").get<std::string>();
  record.model = json.at("model").get<std::string>();
  record.step = counter(json.at("step"));
  if (!json.at("seed").is_number_unsigned()) throw std::invalid_argument("its seed is no whole number");
  record.seed = json.at("seed").get<uint64_t>();
  if (json.contains("best")) {
    record.best = finite(json.at("best"));
    record.bestStep = counter(json.at("best_step"));
    record.sinceBest = counter(json.at("since_best"));
  }
  record.samples = counter(json.at("samples"));
  for (const auto& [name, number] : json.at("sizes").items()) record.sizes.emplace_back(name, counter(number));
  for (const auto& [name, number] : json.at("multipliers").items())
    record.multipliers.emplace_back(name, finite(number));
  for (const auto& [name, text] : json.at("options").items())
    record.options.emplace_back(name, text.get<std::string>());
  record.isText = json.contains("text") && json.at("text").get<bool>();
  if (json.contains("alphabet")) {
    const std::optional<std::string> alphabet = bytesOf(json.at("alphabet").get<std::string>());
    if (!alphabet) throw std::invalid_argument("its alphabet cannot be read");
    record.alphabet = *alphabet;
  }
  if (json.contains("scaling"))
    for (const auto& [name, scaling] : json.at("scaling").items())
      record.scaling.emplace_back(name, Scaling{finite(scaling.at("shift")), finite(scaling.at("factor"))});
  return record;
}

std::string stateName(const ProgramParameter& parameter, const ProgramState& state) {
  return parameter.name + "/" + state.name;
}

struct Wanted {
  const StoredTensor* tensor;
  StepBuffer buffer;
};

std::string plainShape(const std::vector<int64_t>& shape) { return shapeText(shape); }

// The tensor of that name and shape; null with the mistake.
const StoredTensor* fitting(const SafetensorsFile& file, const std::string& name, const std::vector<int64_t>& shape,
                            Mistake& mistake) {
  const StoredTensor* tensor = file.find(name);
  if (!tensor) {
    fails(mistake, Fault::content, "TPC0511", file.path() + " has no `" + name + "`, which the program has");
    return nullptr;
  }
  if (tensor->shape != shape) {
    fails(mistake, Fault::content, "TPC0511",
          "`" + name + "` is " + plainShape(shape) + " in the program and " + plainShape(tensor->shape) + " in " +
              file.path(),
          "the sizes of a training are part of it: the same -D");
    return nullptr;
  }
  const bool real = tensor->type == StoredType::f64 || tensor->type == StoredType::f32 ||
                    tensor->type == StoredType::f16 || tensor->type == StoredType::bf16;
  if (real) return tensor;
  fails(mistake, Fault::content, "TPC0511",
        "`" + name + "` of " + file.path() + " holds " + std::string(toString(tensor->type)) +
            ", and weights are F64, F32, F16 or BF16");
  return nullptr;
}

}  // namespace

bool saveCheckpoint(const std::string& path, Stepper& stepper, const RunRecord& record, Mistake& mistake) {
  std::vector<TensorToStore> tensors;
  const std::vector<ProgramParameter>& parameters = stepper.table().parameters;
  for (size_t p = 0; p < parameters.size(); ++p)
    tensors.push_back(stored(parameters[p].name, parameters[p].shape, stepper.parameters()[p]));
  for (size_t p = 0; p < parameters.size(); ++p)
    for (size_t s = 0; s < stepper.states(p).size(); ++s)
      tensors.push_back(
          stored(stateName(parameters[p], parameters[p].states[s]), parameters[p].shape, stepper.states(p)[s]));
  const std::pair<std::string, std::string> metadata[] = {{"tpc", recordText(record)}};
  return writeSafetensors(path, tensors, metadata, mistake);
}

bool saveWeights(const std::string& path, Stepper& stepper, StoredType type, Mistake& mistake) {
  std::vector<TensorToStore> tensors;
  const std::vector<ProgramParameter>& parameters = stepper.table().parameters;
  for (size_t p = 0; p < parameters.size(); ++p) {
    tensors.push_back(stored(parameters[p].name, parameters[p].shape, stepper.parameters()[p]));
    tensors.back().type = type;
  }
  return writeSafetensors(path, tensors, {}, mistake);
}

std::optional<RunRecord> readRecord(const SafetensorsFile& file, Mistake& mistake) {
  const std::string* text = file.metadata("tpc");
  std::string why = "it has no record of a training";
  if (text && text->size() <= largestRecord) {
    try {
      const Json json = Json::parse(*text);
      if (json.at("schema").get<std::string>() == schema) return recordOf(json);
      why = "its record is of another version";
    } catch (const nlohmann::json::exception&) {
      why = "its record cannot be read";
    } catch (const std::invalid_argument& error) {
      why = error.what();
    }
  }
  fails(mistake, Fault::content, "TPC0510", "`" + file.path() + "` is no checkpoint of tpc: " + why);
  return std::nullopt;
}

bool loadCheckpoint(const SafetensorsFile& file, Stepper& stepper, bool states, Mistake& mistake) {
  std::vector<Wanted> wanted;
  const std::vector<ProgramParameter>& parameters = stepper.table().parameters;
  const auto want = [&](const std::string& name, const std::vector<int64_t>& shape, const StepBuffer& buffer) {
    const StoredTensor* tensor = fitting(file, name, shape, mistake);
    if (tensor) wanted.push_back({tensor, buffer});
    return tensor != nullptr;
  };
  for (size_t p = 0; p < parameters.size(); ++p) {
    if (!want(parameters[p].name, parameters[p].shape, stepper.parameters()[p])) return false;
    for (size_t s = 0; states && s < stepper.states(p).size(); ++s)
      if (!want(stateName(parameters[p], parameters[p].states[s]), parameters[p].shape, stepper.states(p)[s]))
        return false;
  }
  for (const Wanted& each : wanted) {
    const bool good = each.buffer.type == ElementType::f64
                          ? file.read(*each.tensor, static_cast<double*>(each.buffer.data), mistake)
                          : file.read(*each.tensor, static_cast<float*>(each.buffer.data), mistake);
    if (!good) return false;
  }
  return true;
}

}  // namespace tpc
