#include "runtime/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "runtime/data/bytes.h"
#include "runtime/events.h"
#include "runtime/format/whole_file.h"

namespace tpc {
namespace {

double now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

// The lines up to the step; a line that is none, such as one that a kill cut, is dropped.
std::string linesUpTo(int64_t step, const std::string& text) {
  std::string kept;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const std::string line = text.substr(begin, end + 1 - begin);
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("step") && json["step"].is_number_integer() &&
        json["step"].get<int64_t>() <= step)
      kept += line;
    begin = end + 1;
  }
  return kept;
}

}  // namespace

bool Log::open(const std::string& folder, int64_t keep, Mistake& mistake) {
  const std::string lines = folder + "/log.jsonl";
  const auto failed = [&](const std::string& path) {
    return fails(mistake, Fault::machine, "", "cannot write " + path + ": " + std::strerror(errno));
  };
  std::string text;
  if (keep > 0 && access(lines.c_str(), F_OK) == 0) {
    std::optional<std::string> found = readBytes(lines, largestFileInMemory(), mistake);
    if (!found) return false;
    text = linesUpTo(keep, *found);
  }
  WholeFile kept(lines);
  kept.write(text.data(), text.size());
  if (!kept.commit()) return fails(mistake, Fault::machine, "", "cannot write " + lines + ": " + kept.reason());
  lines_ = ::open(lines.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (lines_ < 0) return failed(lines);
  const double time = now();
  const std::string events =
      folder + "/events.out.tfevents." + std::to_string(int64_t(time)) + ".tpc." + std::to_string(getpid());
  events_ = ::open(events.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (events_ < 0) return failed(events);
  append(events_, eventRecord(versionEvent(time)));
  return true;
}

Log::~Log() {
  for (int file : {lines_, events_})
    if (file >= 0) ::close(file);
}

void Log::append(int file, const std::string& bytes) {
  for (size_t done = 0; file >= 0 && done < bytes.size();) {
    const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      if (reason_.empty()) reason_ = std::strerror(errno);
      return;
    }
    done += size_t(count);
  }
}

void Log::write(int64_t step, const LogEntry& entry, double seconds) {
  nlohmann::ordered_json json = {{"step", step}};
  LogEntry scalars;
  for (const auto& [name, value] : entry) {
    if (!std::isfinite(value)) continue;  // JSON has no such number
    json[name] = value;
    scalars.emplace_back(name, value);
  }
  json["seconds"] = std::round(seconds * 1000) / 1000;
  append(lines_, json.dump() + "\n");
  append(events_, eventRecord(scalarEvent(now(), step, scalars)));
}

}  // namespace tpc
