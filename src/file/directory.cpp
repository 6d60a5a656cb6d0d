// SPDX-License-Identifier: Apache-2.0
#include "file/directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <utility>
#include <vector>

namespace qconn::file {
namespace {

net::UniqueFd open_folder(int base, const std::string& name, int more = 0) {
    return net::UniqueFd{::openat(base, name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | more)};
}

// Adds the components of `path` so that the first one is taken off the back first.
void push_components(std::vector<std::string>& rest, std::string_view path) {
    const auto old_size = rest.size();
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto part = path.substr(0, slash);
        if (!part.empty() && part != ".") rest.insert(rest.begin() + static_cast<std::ptrdiff_t>(old_size), std::string{part});
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    }
}

class Walk {
public:
    Walk(const Task& task, std::string_view root, bool confine) : task_{task}, confine_{confine} {
        way_.push_back(open_folder(AT_FDCWD, std::string{root}));
        if (!way_.back()) throw directory_error(task_, errno, "cannot be opened");
    }

    Spot follow(std::string_view path, bool follow_last) {
        if (path.size() >= PATH_MAX) throw file_error(task_, ENAMETOOLONG);
        if (path.find('\0') != std::string_view::npos) throw file_error(task_, FileErrc::failed, Reason::bad_value, "the path holds a zero byte");
        take(path);
        while (!rest_.empty()) {
            std::string part = std::move(rest_.back());
            rest_.pop_back();
            if (part == "..") {
                up();
                continue;
            }
            const bool last = rest_.empty();
            if (last && !follow_last) return {std::move(way_.back()), std::move(part)};
            struct stat info {};
            if (::fstatat(way_.back().get(), part.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
                if (last && errno == ENOENT) return {std::move(way_.back()), std::move(part)};  // it may be about to be made
                throw file_error(task_, errno);
            }
            if (S_ISLNK(info.st_mode)) {
                take_link(part);
            } else if (last) {
                return {std::move(way_.back()), std::move(part)};
            } else {
                net::UniqueFd next = open_folder(way_.back().get(), part, O_NOFOLLOW);
                if (!next) throw file_error(task_, errno);
                enter(std::move(next));
            }
        }
        return {std::move(way_.back()), "."};
    }

private:
    // The way back is only needed where it must not be left.
    void enter(net::UniqueFd next) {
        if (confine_)
            way_.push_back(std::move(next));
        else
            way_.back() = std::move(next);
    }

    void take(std::string_view path) {
        if (path.starts_with('/')) {
            if (confine_) throw outside("it is absolute");
            way_.clear();
            way_.push_back(open_folder(AT_FDCWD, "/"));
            if (!way_.back()) throw file_error(task_, errno);
        }
        push_components(rest_, path);
    }

    void take_link(const std::string& name) {
        if (++links_ > k_max_links) throw file_error(task_, ELOOP);
        std::array<char, PATH_MAX> target{};
        const auto size = ::readlinkat(way_.back().get(), name.c_str(), target.data(), target.size());
        if (size < 0) throw file_error(task_, errno);
        take({target.data(), static_cast<std::size_t>(size)});
    }

    void up() {
        if (way_.size() > 1) {
            way_.pop_back();
        } else if (confine_) {
            throw outside("it leads above it");
        } else {
            net::UniqueFd above = open_folder(way_.back().get(), "..");
            if (!above) throw file_error(task_, errno);
            way_.back() = std::move(above);
        }
    }

    Error outside(std::string_view why) const {
        return file_error(
            task_, FileErrc::outside, Reason::permission,
            "the path or a symbolic link on its way leaves the directory (" + std::string{why} + "), and the connection is confined to it");
    }

    const Task& task_;
    bool confine_;
    std::vector<net::UniqueFd> way_;  // never empty; the last one is where we are
    std::vector<std::string> rest_;   // the next component is the last one
    int links_{0};
};

}  // namespace

Spot find_spot(const Task& task, std::string_view root, std::string_view path, bool confine, bool follow) {
    return Walk{task, root, confine}.follow(path, follow);
}

}  // namespace qconn::file
