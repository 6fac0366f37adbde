#include "runtime/weights.h"

#include <algorithm>
#include <charconv>
#include <new>

#include "runtime/data/dataset.h"

namespace tpc {
namespace {

std::vector<std::string> wordsOf(std::string_view line) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin < line.size();) {
    const size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
    if (end > begin) words.emplace_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::optional<std::pair<int64_t, int64_t>> rangeOf(const std::string& text) {
  int64_t first = 0, last = 0;
  const char* end = text.data() + text.size();
  const auto [colon, error] = std::from_chars(text.data(), end, first);
  if (error != std::errc() || colon == end || *colon != ':') return std::nullopt;
  const auto [rest, error2] = std::from_chars(colon + 1, end, last);
  if (error2 != std::errc() || rest != end || first < 0 || last <= first) return std::nullopt;
  return std::pair(first, last);
}

std::string withLayer(std::string name, int64_t layer) {
  for (size_t at; (at = name.find("{i}")) != std::string::npos;) name.replace(at, 3, std::to_string(layer));
  return name;
}

struct Matrix {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

// Rows or columns begin .. end - 1 of a matrix; of a vector its entries.
bool cut(Matrix& matrix, size_t axis, std::pair<int64_t, int64_t> range) {
  if (axis >= matrix.shape.size() || matrix.shape.size() > 2 || range.second > matrix.shape[axis]) return false;
  const int64_t rows = matrix.shape.size() == 2 ? matrix.shape[0] : 1, columns = matrix.shape.back();
  const bool byColumn = axis + 1 == matrix.shape.size();
  Matrix part;
  part.shape = matrix.shape;
  part.shape[axis] = range.second - range.first;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t at = byColumn ? c : r;
      if (at >= range.first && at < range.second) part.values.push_back(matrix.values[size_t(r * columns + c)]);
    }
  matrix = std::move(part);
  return true;
}

bool transpose(Matrix& matrix) {
  if (matrix.shape.size() != 2) return false;
  const int64_t rows = matrix.shape[0], columns = matrix.shape[1];
  Matrix turned{{columns, rows}, std::vector<double>(matrix.values.size())};
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) turned.values[size_t(c * rows + r)] = matrix.values[size_t(r * columns + c)];
  matrix = std::move(turned);
  return true;
}

struct Loader {
  std::span<const std::unique_ptr<SafetensorsFile>> files;
  const std::vector<WeightName>& names;
  Mistake& mistake;
  std::vector<bool> used;

  // The file that has the tensor, and the tensor.
  std::pair<const SafetensorsFile*, const StoredTensor*> find(const std::string& name) const {
    for (const auto& file : files)
      if (const StoredTensor* tensor = file->find(name)) return {file.get(), tensor};
    return {nullptr, nullptr};
  }

  bool no(const std::string& message, const std::string& help = "") {
    return fails(mistake, Fault::content, "TPC0511", message, help);
  }

  std::optional<Matrix> read(const std::string& ours, const std::string& theirs, const WeightName* name) {
    const auto [file, tensor] = find(theirs);
    if (!tensor) {
      no("no file of weights has `" + theirs + "`" + (theirs == ours ? "" : ", which is to be `" + ours + "`"),
         name ? "" : "a file of names says what the parameters are called there: --names FILE");
      return std::nullopt;
    }
    Matrix matrix{tensor->shape, std::vector<double>(size_t(tensor->count))};
    if (!file->read(*tensor, matrix.values.data(), mistake)) return std::nullopt;
    if (!name) return matrix;
    const bool good = (!name->rows || cut(matrix, 0, *name->rows)) &&
                      (!name->columns || cut(matrix, 1, *name->columns)) && (!name->transposed || transpose(matrix));
    if (good) return matrix;
    fails(mistake, Fault::content, "TPC0512",
          "`" + theirs + "` is " + shapeText(tensor->shape) + ", and line " + std::to_string(name->line) +
              " of the names asks for what it has not");
    return std::nullopt;
  }

  bool fits(const std::string& ours, const std::vector<int64_t>& wanted, const Matrix& found) {
    if (regroups(found.shape, wanted)) return true;
    return no("`" + ours + "` is " + shapeText(wanted) + " in the program and " + shapeText(found.shape) +
              " in the weights");
  }

  // All of a parameter, its layers one after the other where they are stored one by one.
  std::optional<std::vector<double>> valuesOf(const ProgramParameter& parameter) {
    const std::vector<int64_t>& shape = parameter.shape;
    for (size_t n = 0; n < names.size(); ++n)
      if (names[n].ours == parameter.name) {
        used[n] = true;
        std::optional<Matrix> all = read(parameter.name, names[n].theirs, &names[n]);
        return all && fits(parameter.name, shape, *all) ? std::optional(std::move(all->values)) : std::nullopt;
      }
    if (parameter.stackedAxes == 1) {
      // `layers.attention.wq` of the program is `layers.{i}.attention.wq` layer by layer: the number stands behind the
      // repeat's name.
      const std::string layered = layeredName(parameter.name);
      const WeightName* name = nullptr;
      for (size_t n = 0; n < names.size(); ++n)
        if (withoutLayer(names[n].ours) == parameter.name) name = &names[n], used[n] = true;
      if (name || !find(parameter.name).second) {
        std::vector<double> values;
        const std::vector<int64_t> one(shape.begin() + 1, shape.end());
        for (int64_t layer = 0; layer < shape[0]; ++layer) {
          const std::string ours = withLayer(layered, layer);
          const std::string theirs = name ? withLayer(name->theirs, layer) : ours;
          if (!name && layer == 0 && !find(theirs).second) break;
          std::optional<Matrix> each = read(ours, theirs, name);
          if (!each || !fits(ours, one, *each)) return std::nullopt;
          values.insert(values.end(), each->values.begin(), each->values.end());
        }
        if (!values.empty()) return values;
      }
    }
    std::optional<Matrix> all = read(parameter.name, parameter.name, nullptr);
    return all && fits(parameter.name, shape, *all) ? std::optional(std::move(all->values)) : std::nullopt;
  }

  static std::string withoutLayer(std::string name) {
    const size_t at = name.find(".{i}");
    return at == std::string::npos ? name : name.erase(at, 4);
  }

  static std::string layeredName(const std::string& name) {
    const size_t dot = name.find('.');
    return dot == std::string::npos ? name : name.substr(0, dot) + ".{i}" + name.substr(dot);
  }

  static bool regroups(const std::vector<int64_t>& found, const std::vector<int64_t>& wanted) {
    return groupsInto(found, wanted) || groupsInto(wanted, found);
  }
};

}  // namespace

std::optional<std::vector<WeightName>> readNames(const std::string& path, const std::string& text, Mistake& mistake) {
  std::vector<WeightName> names;
  int number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    const std::vector<std::string> words = wordsOf(line.substr(0, line.find('#')));
    if (words.empty()) continue;
    const auto no = [&](const std::string& why) {
      fails(mistake, Fault::content, "TPC0512", path + ":" + std::to_string(number) + ": " + why,
            "ours = theirs, then transposed, rows a:b or columns a:b");
      return std::nullopt;
    };
    if (words.size() < 3 || words[1] != "=") return no("a line says `ours = theirs`");
    WeightName name{.ours = words[0], .theirs = words[2], .line = number};
    for (size_t i = 3; i < words.size(); ++i) {
      const bool range = words[i] == "rows" || words[i] == "columns";
      if (words[i] == "transposed") {
        name.transposed = true;
      } else if (range && i + 1 < words.size() && rangeOf(words[i + 1])) {
        (words[i] == "rows" ? name.rows : name.columns) = rangeOf(words[i + 1]);
        ++i;
      } else {
        return no("`" + words[i] + "` is not understood");
      }
    }
    for (const WeightName& other : names)
      if (other.ours == name.ours)
        return no("`" + name.ours + "` stands in line " + std::to_string(other.line) + " too");
    names.push_back(std::move(name));
  }
  return names;
}

bool loadWeights(std::span<const std::unique_ptr<SafetensorsFile>> files, const std::vector<WeightName>& names,
                 Stepper& stepper, Mistake& mistake) {
  Loader loader{files, names, mistake, std::vector<bool>(names.size(), false)};
  const std::vector<ProgramParameter>& parameters = stepper.table().parameters;
  std::vector<std::vector<double>> all;
  try {
    for (const ProgramParameter& parameter : parameters) {
      std::optional<std::vector<double>> values = loader.valuesOf(parameter);
      if (!values) return false;
      all.push_back(std::move(*values));
    }
  } catch (const std::bad_alloc&) {
    return fails(mistake, Fault::machine, "", "there is not enough memory for the weights");
  }
  for (size_t n = 0; n < names.size(); ++n)
    if (!loader.used[n])
      return fails(mistake, Fault::content, "TPC0512",
                   "line " + std::to_string(names[n].line) + " of the names speaks of `" + names[n].ours +
                       "`, which the program has not");
  for (size_t p = 0; p < parameters.size(); ++p) {
    const StepBuffer& buffer = stepper.parameters()[p];
    for (size_t i = 0; i < all[p].size(); ++i)
      if (buffer.type == ElementType::f64) static_cast<double*>(buffer.data)[i] = all[p][i];
      else static_cast<float*>(buffer.data)[i] = float(all[p][i]);
  }
  return true;
}

}  // namespace tpc
