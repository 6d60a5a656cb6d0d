// SPDX-License-Identifier: Apache-2.0
/// The process that ends what a test leaves behind when it is killed; used by the other fixtures.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace qconn::test {

/// Starts a program in a session (and process group) of its own.
/// @param log  file for its output; empty: dropped
/// @throws std::runtime_error
pid_t spawn(const std::vector<std::string>& command, const std::vector<std::string>& environment, const std::string& log);

/// Runs a program to its end. @returns its exit status, or 128 + signal
int run(const std::vector<std::string>& command, const std::vector<std::string>& environment, const std::string& log = {});

void watch_group(pid_t group);
void forget_group(pid_t group);
void watch_directory(const std::string& path);
void forget_directory(const std::string& path);

}  // namespace qconn::test
