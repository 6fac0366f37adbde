#include "runtime/data/dataset.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <new>

#include "runtime/data/bytes.h"
#include "runtime/data/order.h"
#include "runtime/data/samples.h"

namespace tpc {
namespace {

struct Spec {
  std::string name, path;  // the name may be empty
};

// How many samples a teacher gives where nothing is said.
constexpr int64_t teacherCount = 10000, largestTeacherCount = int64_t(1) << 40;

std::string stemOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  return file.substr(0, file.find('.'));
}

bool isName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

struct Binder {
  const ProgramTable& table;
  const DataRequest& request;
  Mistake& mistake;
  BoundData bound{};

  bool no(const std::string& message, const std::string& help = "") {
    return fails(mistake, Fault::content, "TPC0503", message, help);
  }

  bool wanted(size_t input) const { return request.targets || !table.inputs[input].target; }

  std::string wantedNames() const {
    std::string names;
    for (size_t i = 0; i < table.inputs.size(); ++i)
      if (wanted(i)) names += (names.empty() ? "`" : ", `") + table.inputs[i].name + "`";
    return names;
  }

  Spec specOf(const std::string& text) const {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || !isName(std::string_view(text).substr(0, equals))) return {"", text};
    return {text.substr(0, equals), text.substr(equals + 1)};
  }

  // ---- texts ----

  std::optional<Tokens> openTokens(const std::vector<Spec>& specs, const TokenPlan& plan, const std::string& alphabet) {
    std::vector<std::string> paths;
    for (const Spec& spec : specs) paths.push_back(spec.path);
    return Tokens::open(paths, table.inputs[plan.input].below, alphabet, bound.notes, mistake);
  }

  bool bindTokens(const std::vector<Spec>& data, const std::vector<Spec>& validation) {
    const std::optional<TokenPlan> plan = tokenPlan(table, request.targets, mistake);
    if (!plan) return false;
    std::optional<Tokens> opened = openTokens(data, *plan, request.alphabet);
    if (!opened) return false;
    const auto tokens = std::make_shared<const Tokens>(std::move(*opened));
    bound.alphabet = tokens->alphabet();
    bound.isText = tokens->isText();
    bound.unit = tokens->isText() ? "bytes" : "tokens";
    bound.perSample = plan->length;
    int64_t end = tokens->size();
    if (!validation.empty()) {
      std::optional<Tokens> held = openTokens(validation, *plan, bound.alphabet);
      if (!held) return false;
      const int64_t size = held->size();
      bound.validation =
          tokenSamples(std::make_shared<const Tokens>(std::move(*held)), *plan, 0, size, std::nullopt, mistake);
      if (!bound.validation) return false;
    } else if (request.validationPart > 0) {
      // The end of the row: what was trained on does not come again there.
      const int64_t cut = end - int64_t(double(end) * request.validationPart);
      bound.validation = tokenSamples(tokens, *plan, cut, end, std::nullopt, mistake);
      if (bound.validation) end = cut;
      else bound.notes.push_back("no validation: a part of the data is shorter than one sample");
    }
    bound.training = tokenSamples(tokens, *plan, 0, end, request.seed, mistake);
    return bound.training != nullptr;
  }

  // ---- arrays ----

  std::optional<size_t> inputCalled(const std::string& name) const {
    for (size_t i = 0; i < table.inputs.size(); ++i)
      if (table.inputs[i].name == name && wanted(i)) return i;
    return std::nullopt;
  }

  bool addFeed(size_t input, std::shared_ptr<const NumberFile> file, std::vector<int64_t> columns,
               std::vector<ArrayFeed>& feeds) {
    for (const ArrayFeed& feed : feeds)
      if (feed.input == input)
        return no("`" + table.inputs[input].name + "` is fed by " + feed.file->path + " and by " + file->path);
    ArrayFeed feed{
        .input = input, .file = file, .perRow = file->count() / file->shape[0], .columns = std::move(columns)};
    feeds.push_back(std::move(feed));
    return true;
  }

  // A table of columns feeds the inputs that nothing else feeds: a column named like one that takes one number, the
  // others in the order of the program.
  bool dealColumns(const std::shared_ptr<const NumberFile>& file, std::vector<ArrayFeed>& feeds) {
    const int64_t columns = file->shape[1];
    std::vector<bool> taken(size_t(columns), false);
    std::vector<std::pair<size_t, std::vector<int64_t>>> dealt;
    int64_t needed = 0;
    std::string asks;
    for (size_t i = 0; i < table.inputs.size(); ++i) {
      const bool fed = std::any_of(feeds.begin(), feeds.end(), [&](const ArrayFeed& feed) { return feed.input == i; });
      if (fed || !wanted(i)) continue;
      dealt.push_back({i, {}});
      needed += elementsPerSample(table.inputs[i]);
      asks += (asks.empty() ? "" : ", ") + std::to_string(elementsPerSample(table.inputs[i])) + " of `" +
              table.inputs[i].name + "`";
    }
    // A file with the answers in it may be predicted on: the columns behind those of the inputs are not read.
    if (columns != needed && !(request.targets == false && columns > needed))
      return no(file->path + " has " + std::to_string(columns) + " columns, and the program asks for " +
                    std::to_string(needed) + ": " + asks,
                "arrays are given by name: --data " + table.inputs[0].name + "=FILE.npy");
    for (auto& [input, own] : dealt)
      for (size_t c = 0; c < file->columns.size(); ++c)
        if (file->columns[c] == table.inputs[input].name && elementsPerSample(table.inputs[input]) == 1 && !taken[c] &&
            own.empty())
          own.push_back(int64_t(c)), taken[c] = true;
    size_t next = 0;
    for (auto& [input, own] : dealt) {
      while (int64_t(own.size()) < elementsPerSample(table.inputs[input])) {
        while (taken[next]) ++next;
        own.push_back(int64_t(next)), taken[next] = true;
      }
      if (!addFeed(input, file, std::move(own), feeds)) return false;
    }
    return true;
  }

  bool feedsOf(const std::vector<Spec>& specs, std::vector<ArrayFeed>& feeds) {
    std::shared_ptr<const NumberFile> tableOfColumns;
    for (const Spec& spec : specs) {
      std::optional<NumberFile> read = readNumberFile(spec.path, largestFileInMemory(), mistake);
      if (!read) return false;
      const auto file = std::make_shared<const NumberFile>(std::move(*read));
      std::string name = spec.name;
      if (name.empty() && numberFormatOf(spec.path, "") == NumberFormat::csv) {
        if (tableOfColumns)
          return no("two tables of columns, and nothing says which of them feeds what", "--data NAME=FILE.csv");
        tableOfColumns = file;
        continue;
      }
      if (name.empty() && inputCalled(stemOf(spec.path))) name = stemOf(spec.path);
      size_t unnamed = 0, only = 0;
      for (size_t i = 0; i < table.inputs.size(); ++i)
        if (wanted(i)) ++unnamed, only = i;
      if (name.empty() && unnamed == 1) name = table.inputs[only].name;
      if (name.empty())
        return no("nothing says which input " + spec.path + " feeds: " + wantedNames(), "--data NAME=" + spec.path);
      const std::optional<size_t> input = inputCalled(name);
      if (!input) return no("`" + table.model + "` has no input `" + name + "`, but " + wantedNames());
      if (!fitsInput(table.inputs[*input], *file, spec.path, mistake) || !addFeed(*input, file, {}, feeds))
        return false;
    }
    if (tableOfColumns && !dealColumns(tableOfColumns, feeds)) return false;
    for (size_t i = 0; i < table.inputs.size(); ++i) {
      const bool fed = std::any_of(feeds.begin(), feeds.end(), [&](const ArrayFeed& feed) { return feed.input == i; });
      if (!fed && wanted(i))
        return fails(mistake, Fault::content, "TPC0504", "nothing feeds `" + table.inputs[i].name + "`",
                     "--data " + table.inputs[i].name + "=FILE.npy");
    }
    for (const ArrayFeed& feed : feeds) {
      if (feed.file->shape[0] != feeds[0].file->shape[0])
        return no(feeds[0].file->path + " has " + std::to_string(feeds[0].file->shape[0]) + " samples, and " +
                  feed.file->path + " " + std::to_string(feed.file->shape[0]));
      if (!holdsFitting(table.inputs[feed.input], feed, mistake)) return false;
    }
    return true;
  }

  void scale(std::vector<ArrayFeed>& feeds, const std::vector<int64_t>& rows) {
    for (ArrayFeed& feed : feeds) {
      const ProgramInput& input = table.inputs[feed.input];
      if (input.integer) continue;
      Scaling& scaling = bound.scaling[feed.input];
      if (!request.scaling.empty()) {
        feed.scaling = request.scaling[feed.input];
      } else if (request.standardize) {
        feed.scaling = scaling = standardScaling(feed, rows);
        char text[96];
        std::snprintf(text, sizeof text, "less %.6g, times %.6g", scaling.shift, scaling.factor);
        bound.notes.push_back("`" + input.name + "`: " + text);
      } else if (feed.file->kind == NumberKind::u8) {
        feed.scaling = scaling = {0, 1.0 / 255};
        bound.notes.push_back("`" + input.name + "`: bytes, divided by 255");
      }
    }
  }

  bool bindArrays(const std::vector<Spec>& data, const std::vector<Spec>& validation) {
    std::vector<ArrayFeed> feeds, held;
    if (!feedsOf(data, feeds) || (!validation.empty() && !feedsOf(validation, held))) return false;
    const int64_t count = feeds[0].file->shape[0];
    int64_t heldBack = validation.empty() ? int64_t(double(count) * request.validationPart) : 0;
    if (heldBack == count) heldBack = 0;
    // Which rows are held back is the same for every seed, so that trainings can be compared.
    std::vector<int64_t> training, rest;
    const Order split(0, "split", 0, count);
    for (int64_t i = 0; i < count; ++i) {
      if (heldBack == 0) training.push_back(i);
      else (i < count - heldBack ? training : rest).push_back(split[i]);
    }
    bound.scaling.resize(table.inputs.size());
    scale(feeds, training);
    for (ArrayFeed& feed : held)
      for (const ArrayFeed& other : feeds)
        if (other.input == feed.input) feed.scaling = other.scaling;
    if (!held.empty()) {
      for (int64_t i = 0; i < held[0].file->shape[0]; ++i) rest.push_back(i);
      bound.validation = arraySamples(table, std::move(held), std::move(rest));
    } else if (!rest.empty()) {
      bound.validation = arraySamples(table, feeds, std::move(rest));
    }
    bound.training = arraySamples(table, std::move(feeds), std::move(training));
    return true;
  }

  // ---- a teacher ----

  bool bindTeacher(const std::string& spec) {
    int64_t count = teacherCount;
    if (const size_t colon = spec.find(':'); colon != std::string::npos) {
      const char* end = spec.data() + spec.size();
      const auto [rest, error] = std::from_chars(spec.data() + colon + 1, end, count);
      if (error != std::errc() || rest != end || count < 1 || count > largestTeacherCount)
        return fails(mistake, Fault::usage, "", "`" + spec + "`: a teacher gives a number of samples, teacher:10000");
    }
    const int64_t held = int64_t(double(count) * request.validationPart);
    bound.training = teacherSamples(table, request.seed, 0, count, mistake);
    if (!bound.training) return false;
    if (held > 0) bound.validation = teacherSamples(table, request.seed, count, count + held, mistake);
    return true;
  }

  bool bind() {
    for (const ProgramInput& input : table.inputs)
      if (input.batchAxis != 0)
        return no("`" + input.name + "` " + shapeText(input.shape, input.batchAxis) +
                  " has no first axis `batch`, and data comes sample by sample");
    std::vector<Spec> data, validation;
    for (const std::string& text : request.data) data.push_back(specOf(text));
    for (const std::string& text : request.validation) validation.push_back(specOf(text));
    if (data.empty())
      return fails(mistake, Fault::usage, "TPC0504", "no data is given", "--data FILE, or --data teacher");
    const auto isTeacher = [](const Spec& spec) {
      return spec.name.empty() && (spec.path == "teacher" || spec.path.starts_with("teacher:"));
    };
    if (std::any_of(data.begin(), data.end(), isTeacher) ||
        std::any_of(validation.begin(), validation.end(), isTeacher)) {
      if (data.size() > 1 || !validation.empty()) return no("a teacher feeds all inputs or none");
      return bindTeacher(data[0].path);
    }
    const auto isArray = [](const Spec& spec) {
      return !spec.name.empty() || numberFormatOf(spec.path, "") != NumberFormat::none;
    };
    const auto arrays = size_t(std::count_if(data.begin(), data.end(), isArray) +
                               std::count_if(validation.begin(), validation.end(), isArray));
    if (arrays != 0 && arrays != data.size() + validation.size()) return no("texts and arrays cannot be fed together");
    return arrays ? bindArrays(data, validation) : bindTokens(data, validation);
  }
};

}  // namespace

std::optional<BoundData> bindData(const ProgramTable& table, const DataRequest& request, Mistake& mistake) {
  Binder binder{table, request, mistake};
  try {
    if (!binder.bind()) return std::nullopt;
  } catch (const std::bad_alloc&) {
    fails(mistake, Fault::machine, "", "there is not enough memory for the data");
    return std::nullopt;
  }
  return std::move(binder.bound);
}

}  // namespace tpc
