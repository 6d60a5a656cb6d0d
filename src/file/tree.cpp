// SPDX-License-Identifier: Apache-2.0
#include <qconn/file/tree.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include <qconn/file/file_client.hpp>

#include "base/local_file.hpp"
#include "base/text.hpp"
#include "file/carrier.hpp"
#include "file/glob.hpp"
#include "file/removal.hpp"
#include "file/transfer.hpp"
#include "file/tree_path.hpp"

namespace qconn {
namespace {

namespace fs = std::filesystem;
using file::Carrier;
using file::check_depth;
using file::is_of_whole_call;
using file::is_safe_name;
using file::joined;
using file::Removal;

bool wanted(const TreeOptions& options, const std::string& name) { return file::is_wanted(options.pattern, name.c_str()); }

/// The same walk in both directions: from one client to another, of which one is this machine's file system.
class Copier {
public:
    /// @param copy  carries one file from the path in the source to that in the target
    using Copy = std::function<std::uint64_t(const std::string& from, const FileInfo& info, const std::string& to)>;

    Copier(FileTransferClient& source, FileTransferClient& target, const FileTransferClient& remote, const TreeOptions& options, Deadline deadline,
           Copy copy)
        : source_{source},
          target_{target},
          remote_{remote},
          options_{options},
          deadline_{deadline},
          copy_{std::move(copy)},
          carrier_{remote, options} {}

    TreeReport run(const std::string& from, const std::string& to) {
        directory({from, to, {}}, 0);
        carrier_.finish();
        // A mirror that is not whole removes nothing: what is missing there may be what failed.
        bool removes = false;
        carrier_.note([&](const TreeReport& report) { removes = report.failures.empty(); });
        if (removes) remove_others();
        return carrier_.take_report();
    }

private:
    /// One entry on both sides.
    struct Place {
        std::string from;
        std::string to;
        std::string below;  ///< the path from the root of the tree
        Place operator/(const std::string& name) const { return {joined(from, name), joined(to, name), joined(below, name)}; }
    };
    struct Other {
        Place place;
        FileType type;
    };

    void directory(const Place& here, int depth) {
        check_depth(here.below, depth);
        at(target_, [&] { target_.make_directory(here.to, deadline_); });
        carrier_.note([](TreeReport& report) { ++report.directories; });
        std::vector<FileInfo> there;
        if (options_.only_changed || options_.remove_others) there = at(target_, [&] { return target_.list(here.to, {}, deadline_); });
        std::set<std::string, std::less<>> kept;
        for (FileInfo& entry : at(source_, [&] { return source_.list(here.from, {}, deadline_); })) {
            if (!is_safe_name(entry.name)) {
                skip();
                continue;
            }
            kept.insert(entry.name);
            const Place place = here / entry.name;
            attempt(place, [&] { take(place, entry, found(there, entry.name), depth); });
        }
        if (!options_.remove_others) return;
        for (const FileInfo& other : there) {
            const bool meant = other.type == FileType::directory || wanted(options_, other.name);
            if (meant && kept.find(other.name) == kept.end()) others_.push_back({here / other.name, other.type});
        }
    }
    /// @param copy  what the target has under that name, where that is known
    void take(const Place& place, FileInfo& entry, const FileInfo* copy, int depth) {
        if (entry.type == FileType::symlink && !follow(place, entry)) {
            skip();
        } else if (entry.type == FileType::directory) {
            // Behind a link is another tree, of which a mirror would remove what is not in this one.
            if (copy != nullptr && copy->type == FileType::symlink) throw is_link(place, *copy);
            directory(place, depth + 1);
        } else if (entry.type != FileType::file) {
            skip();
        } else if (wanted(options_, entry.name)) {
            file(place, entry, copy);
        }
    }
    /// A link to a file becomes that file.
    bool follow(const Place& place, FileInfo& entry) {
        try {
            FileInfo behind = at(source_, [&] { return source_.stat(place.from, deadline_); });
            behind.name = entry.name;
            entry = std::move(behind);
            return entry.type == FileType::file;
        } catch (const Error& error) {
            if (error.reason() != Reason::not_found && error.reason() != Reason::permission) throw;
            return false;
        }
    }
    void file(const Place& place, const FileInfo& entry, const FileInfo* copy) {
        if (options_.only_changed && copy != nullptr && is_unchanged(entry, *copy, place.to)) {
            carrier_.note([](TreeReport& report) { ++report.unchanged; });
            return;
        }
        carrier_.add(place.below, [this, from = place.from, to = place.to, entry] { return copy_(from, entry, to); });
    }
    /// As long, and of the same time to the second. A newer one counts where no times are kept; where a side tells none, it counts as changed.
    bool is_unchanged(const FileInfo& original, const FileInfo& copy, const std::string& to) {
        if (copy.type != FileType::file || copy.size != original.size || !original.modified || !copy.modified) return false;
        const auto then = std::chrono::floor<std::chrono::seconds>(*original.modified);
        const auto now = std::chrono::floor<std::chrono::seconds>(*copy.modified);
        return now == then || (now > then && !keeps_times(to, *copy.modified));
    }
    /// Whether copies get the times of their originals. It is asked once, for a copy that is newer, by giving it the time that it has: a client that
    /// has no way to do so says that.
    bool keeps_times(const std::string& copy, std::chrono::system_clock::time_point modified) {
        if (!options_.copy.keep_time) return false;
        if (keeps_times_) return *keeps_times_;
        try {
            target_.set_attributes(copy, {.modified = modified}, deadline_);
            keeps_times_ = true;
        } catch (const Error& error) {
            if (is_of_whole_call(error)) throw;
            if (error.reason() != Reason::unsupported) return true;  // about this file only
            keeps_times_ = false;
        }
        return *keeps_times_;
    }
    void remove_others() {
        // What transfers of others have left in there may still be written to.
        Removal removal{target_, deadline_, std::chrono::system_clock::now() - std::chrono::hours{24}};
        for (const Other& other : others_) attempt(other.place, [&] { at(target_, [&] { removal.remove(other.place.to, other.type); }); });
        carrier_.note([&](TreeReport& report) { report.removed = removal.removed(); });
    }
    void skip() {
        carrier_.note([](TreeReport& report) { ++report.skipped; });
    }
    /// With go_on a failure is one of the report.
    template <class Step>
    void attempt(const Place& place, Step step) {
        try {
            step();
        } catch (const Error& error) { carrier_.fail(place.below, error); }
    }
    /// What this machine refuses is SYSTEM-ERROR, as with single files.
    template <class Call>
    std::invoke_result_t<Call> at(const FileTransferClient& side, Call call) {
        try {
            return call();
        } catch (const Error& error) {
            const auto* detail = error.detail<FileErrorDetail>();
            if (&side == &remote_ || detail == nullptr || !detail->system) throw;
            throw make_error(Errc::system, std::string{error.message()}).with_phase(Phase::body).with_reason(error.reason());
        }
    }
    Error is_link(const Place& place, const FileInfo& copy) const {
        std::string what = "the directory \"" + text::printable(place.below) + "\" is not copied: there is a symbolic link of that name already";
        if (copy.target) what += ", to \"" + text::printable(*copy.target) + '"';
        Error error{FileErrc::differs, "TRANSFER-ERROR", std::move(what)};
        error.with_phase(Phase::body).with_reason(Reason::exists);
        error.with_connection(remote_.label());
        return error;
    }
    static const FileInfo* found(const std::vector<FileInfo>& sorted, const std::string& name) {
        const auto at = std::lower_bound(sorted.begin(), sorted.end(), name,
                                         [](const FileInfo& one, const std::string& wanted_name) { return one.name < wanted_name; });
        return at != sorted.end() && at->name == name ? &*at : nullptr;
    }

    FileTransferClient& source_;
    FileTransferClient& target_;
    const FileTransferClient& remote_;
    const TreeOptions& options_;
    const Deadline deadline_;
    const Copy copy_;
    std::optional<bool> keeps_times_;  // not asked yet
    std::vector<Other> others_;        // of the target, to be removed
    Carrier carrier_;                  // last: its threads use the others
};

FileClient local(const std::string& directory) {
    if (directory.empty()) throw make_error(Errc::invalid_argument, "the directory of this machine has no name; write . for the current one");
    std::error_code error;
    const fs::path path = fs::absolute(directory, error);
    if (error) throw make_error(Errc::system, "the current directory is not known: " + error.message()).with_reason(Reason::local);
    FileOptions options;
    options.path = path.lexically_normal();
    return FileClient{std::move(options)};
}

/// The path of something in the local directory.
std::string local_path(const FileClient& here, const std::string& path) { return joined(here.options().path, path); }

bool walk_below(FileTransferClient& client, const std::string& path, const std::string& below,
                const std::function<bool(const std::string&, const FileInfo&)>& visitor, Deadline deadline, int depth) {
    check_depth(below, depth);
    for (const FileInfo& entry : client.list(path, {}, deadline)) {
        if (!is_safe_name(entry.name)) continue;
        const std::string name = joined(below, entry.name);
        if (!visitor(name, entry)) return false;
        if (entry.type == FileType::directory && !walk_below(client, joined(path, entry.name), name, visitor, deadline, depth + 1)) return false;
    }
    return true;
}

}  // namespace

TreeReport get_tree(FileTransferClient& client, std::string_view path, const std::string& directory, const TreeOptions& options, Deadline deadline) {
    const FileInfo root = client.stat(path, deadline);
    if (root.type != FileType::directory) static_cast<void>(client.list(path, {}, deadline));  // it says what is wrong
    FileClient here = local(directory);
    const std::string& folder = here.options().path;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) fail_file("making the directory", folder, error.value());
    if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) fail_file("writing to the directory", folder, errno);
    return Copier{client,
                  here,
                  client,
                  options,
                  deadline,
                  [&](const std::string& from, const FileInfo& info, const std::string& to) {
                      return file::get_known_file(client, from, info, local_path(here, to), options.copy, deadline);
                  }}
        .run(std::string{path}, {});
}

TreeReport put_tree(FileTransferClient& client, const std::string& directory, std::string_view path, const TreeOptions& options, Deadline deadline) {
    FileClient here = local(directory);
    const std::string& folder = here.options().path;
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) fail_file("reading the directory", folder, errno);
    if (!S_ISDIR(info.st_mode)) fail_file("reading the directory", folder, ENOTDIR);
    return Copier{here,
                  client,
                  client,
                  options,
                  deadline,
                  [&](const std::string& from, const FileInfo&, const std::string& to) {
                      return put_file(client, local_path(here, from), to, options.copy, deadline);
                  }}
        .run({}, std::string{path});
}

std::uint64_t remove_tree(FileTransferClient& client, std::string_view path, Deadline deadline) {
    FileType type = FileType::other;
    try {
        type = client.stat_link(path, deadline).type;
    } catch (const Error& error) {
        if (error.reason() != Reason::unsupported) throw;
        type = client.stat(path, deadline).type;
    }
    file::Removal removal{client, deadline};
    removal.remove(std::string{path}, type);
    return removal.removed();
}

void walk(FileTransferClient& client, std::string_view path, const std::function<bool(const std::string& path, const FileInfo& entry)>& visitor,
          Deadline deadline) {
    walk_below(client, std::string{path}, {}, visitor, deadline, 0);
}

}  // namespace qconn
