// SPDX-License-Identifier: Apache-2.0
#include "core/file_replacement.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "core/load.hpp"

namespace qconn::core {

FileReplacement::FileReplacement(std::string path) : path_{std::move(path)}, fresh_{path_ + ".XXXXXX"} {
    file_.reset(::mkostemp(fresh_.data(), O_CLOEXEC));  // of mode 0600
    if (file_) return;
    fail("making a file beside it: ");
    fresh_.clear();
}

FileReplacement::~FileReplacement() {
    if (!fresh_.empty()) ::unlink(fresh_.c_str());
}

void FileReplacement::fail(const char* what) {
    if (problem_.empty()) problem_ = what + std::generic_category().message(errno);
}

void FileReplacement::write(std::string_view text) {
    while (!text.empty() && problem_.empty()) {
        const ssize_t wrote = ::write(file_.get(), text.data(), text.size());
        if (wrote >= 0)
            text.remove_prefix(static_cast<std::size_t>(wrote));
        else if (errno != EINTR)
            fail("writing: ");
    }
}

std::string FileReplacement::commit() {
    if (problem_.empty() && ::fsync(file_.get()) != 0) fail("writing: ");
    if (problem_.empty() && std::rename(fresh_.c_str(), path_.c_str()) != 0) fail("replacing it: ");
    if (!problem_.empty()) return problem_;
    fresh_.clear();
    const std::string directory = split_path(path_).first;
    const net::UniqueFd opened{::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (opened) ::fsync(opened.get());  // a file system that refuses this has its own ways
    return {};
}

}  // namespace qconn::core
