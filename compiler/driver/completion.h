// `tpc completion bash`: a script for a shell, made from the command line's own description, so that what it offers is
// what there is.
//
//     source <(tpc completion bash)          in ~/.bashrc
//     source <(tpc completion zsh)           in ~/.zshrc, after compinit
//     tpc completion fish | source           in ~/.config/fish/config.fish
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace tpc {

// `shell` is bash, zsh or fish.
std::string completionScript(const CLI::App& app, const std::string& shell);

}  // namespace tpc
