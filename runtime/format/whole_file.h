// A file that is written whole or not at all.
//
//     WholeFile file("run/last.safetensors");
//     file.write(header.data(), header.size());
//     if (!file.commit()) complain(file.reason());
//
// It is written under a name of its own in the same folder, synced, and then takes the name, so that whoever reads the
// name sees the old file or the new one, whatever happens meanwhile: a full disk, a kill, a machine that stops.
#pragma once

#include <cstddef>
#include <string>

namespace tpc {

class WholeFile {
 public:
  explicit WholeFile(const std::string& path);
  ~WholeFile();  // without a commit nothing is left behind
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  bool write(const void* data, size_t count);  // after a failure it does nothing
  bool commit();
  const std::string& reason() const { return reason_; }

 private:
  bool failed();
  void close();

  std::string target_, beside_, reason_;
  int file_ = -1;
  int permissions_ = -1;  // of the file that is replaced
  bool device_ = false;   // a pipe or a device takes no new name: it is written as it is
  bool good_ = true;
};

// The part of the file that was begun last and is not whole yet: removed.  For signal handlers, before they end the
// process.
void removeUnfinishedFile();

// Parts that a process which is no longer there has left in a folder; removed.
void removeStaleParts(const std::string& folder);

}  // namespace tpc
