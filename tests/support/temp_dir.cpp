// SPDX-License-Identifier: Apache-2.0
#include "support/temp_dir.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "support/watcher.hpp"

namespace qconn::test {

TempDir::TempDir() {
    const char* place = std::getenv("TMPDIR");
    path_ = std::string{place != nullptr && std::strlen(place) < 40 ? place : "/tmp"} + "/qconn-test.XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error{"no temporary directory at " + path_ + ": " + std::strerror(errno)};
    ::chmod(path_.c_str(), 0755);
    watch_directory(path_);
}

TempDir::TempDir(TempDir&& other) noexcept : path_{std::exchange(other.path_, {})} {}

TempDir::~TempDir() {
    if (path_.empty()) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
    if (!ignored) forget_directory(path_);
}

std::string TempDir::write(std::string_view name, std::string_view text) const {
    const std::string path = *this / name;
    std::filesystem::create_directories(std::filesystem::path{path}.parent_path());
    std::ofstream file{path, std::ios::binary};
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (!file) throw std::runtime_error{"cannot write " + path};
    return path;
}

std::string TempDir::read(std::string_view name) const { return read_file(*this / name); }

std::string read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace qconn::test
