// SPDX-License-Identifier: Apache-2.0
#include "core/watched_places.hpp"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <deque>
#include <memory>
#include <system_error>
#include <utility>

#include "core/known_files.hpp"
#include "core/slot_pack.hpp"

namespace qconn::core {
namespace {

/// Of a directory in which a name is looked up.
constexpr std::uint32_t k_names = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
/// Of one whose files are read.
constexpr std::uint32_t k_contents = k_names | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;

/// As the kernel does it.
constexpr int k_most_links = 40;

/// File systems that others change without the kernel of this machine knowing.
constexpr std::array<std::pair<std::uint32_t, const char*>, 8> k_remote{{{0x6969, "NFS"},
                                                                         {0x517b, "SMB"},
                                                                         {0xff534d42, "CIFS"},
                                                                         {0xfe534d42, "SMB2"},
                                                                         {0x65735546, "FUSE"},
                                                                         {0x01021997, "9P"},
                                                                         {0x00c36400, "Ceph"},
                                                                         {0x5346414f, "AFS"}}};

const char* remote_kind(const std::string& directory) noexcept {
    struct statfs status {};
    if (::statfs(directory.c_str(), &status) != 0) return nullptr;
    const auto type = static_cast<std::uint32_t>(status.f_type);
    const auto found = std::find_if(k_remote.begin(), k_remote.end(), [&](const auto& one) { return one.first == type; });
    return found == k_remote.end() ? nullptr : found->second;
}

std::string link_target(const std::string& path) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    return size > 0 ? std::string{target.data(), static_cast<std::size_t>(size)} : std::string{};
}

std::string join(const std::string& directory, std::string_view name) {
    return directory.ends_with('/') ? directory + std::string{name} : directory + '/' + std::string{name};
}

std::string absolute(const std::string& path) {
    if (path.starts_with('/')) return path;
    std::array<char, PATH_MAX> here{};
    return ::getcwd(here.data(), here.size()) ? join(here.data(), path) : path;
}

std::deque<std::string> components(std::string_view path) {
    std::deque<std::string> parts;
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        if (const auto part = path.substr(0, slash); !part.empty() && part != ".") parts.emplace_back(part);
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    }
    return parts;
}

template <class Function>
void for_each_definition(const std::string& directory, const DefinitionSuffixes& suffixes, Function&& function) {
    const std::unique_ptr<DIR, int (*)(DIR*)> handle{::opendir(directory.c_str()), &::closedir};
    if (!handle) return;
    while (const dirent* entry = ::readdir(handle.get())) {
        if (suffixes.is_definition(entry->d_name)) function(*entry);
    }
}

}  // namespace

/// One run over all paths. A watch is set before what is behind it is looked at, so that nothing can change unseen.
class WatchedPlaces::Walk {
public:
    Walk(int fd, const DefinitionSuffixes& suffixes) : fd_{fd}, suffixes_{suffixes} {}

    void path(const std::string& path, unsigned purpose) {
        purpose_ = purpose;
        const std::string end = walk(absolute(path));
        if (end.empty()) return;
        struct stat status {};
        if (::stat(end.c_str(), &status) != 0) return;
        if (!S_ISDIR(status.st_mode)) {
            const auto slash = end.rfind('/');
            watch(slash == 0 ? "/" : end.substr(0, slash), k_contents, end.substr(slash + 1));
            return;
        }
        watch(end, k_contents, {});
        if (const char* kind = remote_kind(end); kind && untold.empty())
            untold = std::string{"\""} + path + "\" is on a network file system (" + kind + ")";
        for_each_definition(end, suffixes_, [&](const dirent& entry) {
            if (entry.d_type != DT_LNK) return;
            const std::string file = walk(join(end, entry.d_name));
            const auto slash = file.rfind('/');
            if (!file.empty() && slash != 0) watch(file.substr(0, slash), k_contents, file.substr(slash + 1));
        });
    }

    std::map<int, Place> found;
    std::string untold;

private:
    /// The path without links; empty where it leads to nothing. Every look-up on the way is watched.
    std::string walk(const std::string& from) {
        auto parts = components(from);
        std::string at = "/";
        for (int links = 0; !parts.empty();) {
            const std::string part = std::move(parts.front());
            parts.pop_front();
            if (part == "..") {
                at = at.substr(0, std::max<std::size_t>(at.rfind('/'), 1));
                continue;
            }
            watch(at, k_names, part);
            const std::string next = join(at, part);
            struct stat status {};
            if (::lstat(next.c_str(), &status) != 0) return {};
            if (!S_ISLNK(status.st_mode)) {
                at = next;
                continue;
            }
            if (++links > k_most_links) return {};
            const std::string target = link_target(next);
            auto more = components(target);
            parts.insert(parts.begin(), more.begin(), more.end());
            if (target.starts_with('/')) at = "/";
        }
        return at;
    }

    /// An empty name: its definition files.
    void watch(const std::string& directory, std::uint32_t mask, const std::string& name) {
        const int number = ::inotify_add_watch(fd_, directory.c_str(), mask | IN_MASK_ADD);
        if (number < 0) {
            const int error = errno;
            if (error != ENOENT && error != ENOTDIR && untold.empty())
                untold =
                    "watching \"" + directory + "\": " +
                    (error == ENOSPC ? std::string{"no inotify watches left (fs.inotify.max_user_watches)"} : std::generic_category().message(error));
            return;
        }
        Place& place = found[number];
        (name.empty() ? place.definitions : place.names[name]) |= purpose_;
    }

    unsigned purpose_{0};  // of the path that is walked
    const int fd_;
    const DefinitionSuffixes& suffixes_;
};

int WatchedPlaces::open() {
    fd_ = net::UniqueFd{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    return fd_.get() < 0 ? errno : 0;
}

unsigned WatchedPlaces::Place::purposes() const noexcept {
    unsigned all = definitions;
    for (const auto& [name, purpose] : names) all |= purpose;
    return all;
}

WatchedPlaces::Changed WatchedPlaces::follow(const std::vector<Wanted>& wanted) {
    // Numbers of directories that have gone are never used again, so take() may forget them beside this.
    Walk walk{fd_.get(), suffixes_};
    const std::scoped_lock lock{mutex_};
    for (const auto& [path, purpose] : wanted) walk.path(path, purpose);
    Changed changed;
    changed.untold = std::move(walk.untold);
    for (const auto& [number, place] : walk.found) {
        const auto before = watches_.find(number);
        changed.added |= before == watches_.end() ? place.purposes() : place.definitions & ~before->second.definitions;
    }
    for (const auto& [number, place] : watches_)
        if (!walk.found.contains(number)) ::inotify_rm_watch(fd_.get(), number);
    watches_ = std::move(walk.found);
    return changed;
}

unsigned WatchedPlaces::take() {
    alignas(inotify_event) std::array<char, 16 * 1024> buffer{};
    constexpr int k_most_reads = 64;  // others wait for this thread too; what is left makes the descriptor readable again
    unsigned purposes = 0;
    for (int reads = 0; reads < k_most_reads; ++reads) {
        const ssize_t size = ::read(fd_.get(), buffer.data(), buffer.size());
        if (size <= 0) break;
        const std::scoped_lock lock{mutex_};
        for (ssize_t at = 0; at < size;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* name = buffer.data() + at + sizeof event;
            at += static_cast<ssize_t>(sizeof event + event.len);
            if (event.mask & IN_Q_OVERFLOW) {  // anything may have happened
                for (const auto& [number, place] : watches_) purposes |= place.purposes();
                continue;
            }
            const auto found = watches_.find(event.wd);
            if (found == watches_.end()) continue;
            const Place& place = found->second;
            if (event.len == 0) {
                purposes |= place.purposes();
            } else {
                if (suffixes_.is_definition(name)) purposes |= place.definitions;
                if (const auto named = place.names.find(std::string_view{name}); named != place.names.end()) purposes |= named->second;
            }
            if (event.mask & IN_IGNORED) watches_.erase(found);
        }
    }
    return purposes;
}

std::uint64_t WatchedPlaces::snapshot(const std::vector<std::string>& paths, const DefinitionSuffixes& suffixes) {
    std::string seen;
    bool settled = true;
    const auto add = [&](const std::string& file) {
        struct stat status {};
        seen += file;
        if (::stat(file.c_str(), &status) != 0) return false;
        const FileStamp stamp = FileStamp::of(status);
        for (const auto number :
             {static_cast<std::int64_t>(stamp.device), static_cast<std::int64_t>(stamp.inode), stamp.size, stamp.modified, stamp.changed})
            (seen += ' ') += std::to_string(number);
        settled = settled && (S_ISDIR(status.st_mode) || stamp.is_settled());
        return S_ISDIR(status.st_mode);
    };
    for (const std::string& path : paths) {
        if (!add(path)) continue;
        std::vector<std::string> names;
        for_each_definition(path, suffixes, [&](const dirent& entry) { names.emplace_back(entry.d_name); });
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) add(join(path, name));
    }
    return settled ? hash_bytes(seen) : 0;
}

}  // namespace qconn::core
