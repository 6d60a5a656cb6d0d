// SPDX-License-Identifier: Apache-2.0
#include <qconn/file/tree.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <qconn/file/file_client.hpp>

#include "base/text.hpp"
#include "file/glob.hpp"
#include "file/transfer.hpp"

namespace qconn {
namespace {

namespace fs = std::filesystem;

std::string joined(std::string_view folder, std::string_view name) {
    std::string path{folder};
    if (!path.empty() && !path.ends_with('/')) path += '/';
    return path += name;
}

/// Whether that can be the name of one entry of a directory here: what a server sends is not trusted.
bool is_safe_name(std::string_view name) noexcept {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

bool wanted(const TreeOptions& options, const std::string& name) { return file::is_wanted(options.pattern, name.c_str()); }

/// The copy is as long, and not older to the second; where a side tells no time, it counts as changed.
bool is_unchanged(const FileInfo& original, const FileInfo& copy) {
    if (copy.type != FileType::file || copy.size != original.size || !original.modified || !copy.modified) return false;
    return std::chrono::floor<std::chrono::seconds>(*copy.modified) >= std::chrono::floor<std::chrono::seconds>(*original.modified);
}

/// Carries files over with several threads, and keeps count.
class Carrier {
public:
    using Job = std::function<std::uint64_t()>;  ///< @returns bytes

    Carrier(const FileTransferClient& client, const TreeOptions& options)
        : label_{client.label()}, options_{options}, most_{options.transfers > 0 ? options.transfers : client.useful_transfers()} {}
    Carrier(const Carrier&) = delete;
    Carrier& operator=(const Carrier&) = delete;
    ~Carrier() { stop(); }

    /// Waits where many wait already. @throws Error where one has failed, or the caller has had enough
    void add(std::string path, Job job) {
        std::unique_lock lock{mutex_};
        // Once there is no room it waits for much of it, and is not woken for every file that is done.
        if (waiting_.size() >= most_waiting()) room_.wait(lock, [&] { return has_room() || stopped_; });
        throw_what_ended_it();
        waiting_.push_back({std::move(path), std::move(job)});
        if (idle_ < waiting_.size() && threads_.size() < most_) threads_.emplace_back([this] { work(); });
        const bool wakes = idle_ > 0;
        lock.unlock();
        if (wakes) work_.notify_one();
    }
    /// Waits for all.
    void finish() {
        {
            std::unique_lock lock{mutex_};
            room_.wait(lock, [&] { return is_done() || stopped_; });
        }
        stop();
        const std::lock_guard lock{mutex_};
        throw_what_ended_it();
    }
    /// Counts something under the lock.
    template <class Change>
    void note(Change change) {
        const std::lock_guard lock{mutex_};
        change(report_);
    }
    TreeReport take_report() {
        std::sort(report_.failures.begin(), report_.failures.end(), [](const TreeFailure& a, const TreeFailure& b) { return a.path < b.path; });
        return std::move(report_);
    }

private:
    struct Waiting {
        std::string path;
        Job job;
    };

    void work() {
        std::unique_lock lock{mutex_};
        for (;;) {
            ++idle_;
            work_.wait(lock, [&] { return !waiting_.empty() || stopped_; });
            --idle_;
            if (stopped_) return;
            Waiting next = std::move(waiting_.front());
            waiting_.pop_front();
            ++running_;
            const bool makes_room = has_room();
            lock.unlock();
            if (makes_room) room_.notify_one();
            std::optional<Error> failure;
            std::uint64_t bytes = 0;
            try {
                bytes = next.job();
            } catch (const Error& error) { failure = error; } catch (const std::exception& error) {
                failure = make_error(Errc::system, error.what());
            }
            lock.lock();
            --running_;
            if (failure) {
                failed(next.path, std::move(*failure));
            } else {
                ++report_.files;
                report_.bytes += bytes;
                tell(next.path);
            }
            if (is_done() || stopped_) room_.notify_one();
        }
    }
    void failed(const std::string& path, Error error) {
        // A deadline and an end of the client are those of the whole call.
        const bool of_all = error.reason() == Reason::cancelled || error.code() == Errc::timeout;
        if (options_.go_on && !of_all) {
            report_.failures.push_back({path, std::move(error)});
            return;
        }
        stopped_ = true;
        if (!ended_by_) ended_by_ = std::move(error);
    }
    void tell(const std::string& path) {
        if (!options_.progress || stopped_) return;
        try {
            if (options_.progress(report_, path)) return;
            ended_by_ = make_error(Errc::cancelled, "the transfer of a tree was ended by its caller");
        } catch (const Error& error) { ended_by_ = error; } catch (const std::exception& error) {
            ended_by_ = make_error(Errc::system, error.what());
        }
        ended_by_->with_connection(label_);
        stopped_ = true;
    }
    std::size_t most_waiting() const noexcept { return 4 * most_; }
    bool has_room() const noexcept { return waiting_.size() <= most_waiting() / 2; }
    bool is_done() const noexcept { return waiting_.empty() && running_ == 0; }
    void throw_what_ended_it() const {
        if (ended_by_) throw Error{*ended_by_};
    }
    void stop() {
        {
            const std::lock_guard lock{mutex_};
            stopped_ = true;
        }
        work_.notify_all();
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }

    const std::string label_;
    const TreeOptions& options_;
    const std::size_t most_;
    std::mutex mutex_;
    std::condition_variable work_;      // of the threads: there is some, or no more is to be done
    std::condition_variable room_;      // of the caller's thread: there is room, all is done, or something has ended it
    std::deque<Waiting> waiting_;       // these are guarded by mutex_
    std::vector<std::thread> threads_;  // only the caller's thread adds and joins
    std::size_t idle_{0};
    std::size_t running_{0};
    bool stopped_{false};
    std::optional<Error> ended_by_;
    TreeReport report_;
};

/// The same walk in both directions: from one client to another, of which one is this machine's file system.
class Copier {
public:
    /// @param copy  carries one file from the path in the source to that in the target
    using Copy = std::function<std::uint64_t(const std::string& from, const FileInfo& info, const std::string& to)>;

    Copier(FileTransferClient& source, FileTransferClient& target, const FileTransferClient& remote, const TreeOptions& options, Deadline deadline,
           Copy copy)
        : source_{source}, target_{target}, options_{options}, deadline_{deadline}, copy_{std::move(copy)}, carrier_{remote, options} {}

    TreeReport run(const std::string& from, const std::string& to) {
        directory(from, to, {});
        carrier_.finish();
        TreeReport report = carrier_.take_report();
        if (report.failures.empty()) {
            for (const std::string& path : others_) report.removed += remove_tree(target_, path, deadline_);
        }
        return report;
    }

private:
    void directory(const std::string& from, const std::string& to, const std::string& below) {
        target_.make_directory(to, deadline_);
        carrier_.note([](TreeReport& report) { ++report.directories; });
        std::vector<FileInfo> there;
        if (options_.only_changed || options_.remove_others) there = target_.list(to, {}, deadline_);
        std::set<std::string, std::less<>> kept;
        for (FileInfo& entry : source_.list(from, {}, deadline_)) {
            const std::string path = joined(below, entry.name);
            if (!is_safe_name(entry.name)) {
                skip();
                continue;
            }
            kept.insert(entry.name);
            if (entry.type == FileType::symlink && !follow(from, entry)) {
                skip();
                continue;
            }
            if (entry.type == FileType::directory) {
                directory(joined(from, entry.name), joined(to, entry.name), path);
            } else if (entry.type != FileType::file) {
                skip();
            } else if (wanted(options_, entry.name)) {
                file(joined(from, entry.name), joined(to, entry.name), entry, path, there);
            }
        }
        if (!options_.remove_others) return;
        for (const FileInfo& other : there) {
            const bool meant = other.type == FileType::directory || wanted(options_, other.name);
            if (meant && kept.find(other.name) == kept.end()) others_.push_back(joined(to, other.name));
        }
    }
    /// A link to a file becomes that file.
    bool follow(const std::string& from, FileInfo& entry) {
        try {
            FileInfo behind = source_.stat(joined(from, entry.name), deadline_);
            behind.name = entry.name;
            entry = std::move(behind);
            return entry.type == FileType::file;
        } catch (const Error& error) {
            if (error.reason() != Reason::not_found && error.reason() != Reason::permission) throw;
            return false;
        }
    }
    void file(std::string from, std::string to, const FileInfo& entry, const std::string& path, const std::vector<FileInfo>& there) {
        if (options_.only_changed) {
            const auto copy =  // sorted by name
                std::lower_bound(there.begin(), there.end(), entry.name,
                                 [](const FileInfo& other, const std::string& name) { return other.name < name; });
            if (copy != there.end() && copy->name == entry.name && is_unchanged(entry, *copy)) {
                carrier_.note([](TreeReport& report) { ++report.unchanged; });
                return;
            }
        }
        carrier_.add(path, [this, from = std::move(from), to = std::move(to), entry] { return copy_(from, entry, to); });
    }
    void skip() {
        carrier_.note([](TreeReport& report) { ++report.skipped; });
    }

    FileTransferClient& source_;
    FileTransferClient& target_;
    const TreeOptions& options_;
    const Deadline deadline_;
    const Copy copy_;
    std::vector<std::string> others_;  // of the target, to be removed
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
                const std::function<bool(const std::string&, const FileInfo&)>& visitor, Deadline deadline) {
    for (const FileInfo& entry : client.list(path, {}, deadline)) {
        if (!is_safe_name(entry.name)) continue;
        const std::string name = joined(below, entry.name);
        if (!visitor(name, entry)) return false;
        if (entry.type == FileType::directory && !walk_below(client, joined(path, entry.name), name, visitor, deadline)) return false;
    }
    return true;
}

}  // namespace

TreeReport get_tree(FileTransferClient& client, std::string_view path, const std::string& directory, const TreeOptions& options, Deadline deadline) {
    const FileInfo root = client.stat(path, deadline);
    if (root.type != FileType::directory) static_cast<void>(client.list(path, {}, deadline));  // it says what is wrong
    FileClient here = local(directory);
    std::error_code error;
    fs::create_directories(here.options().path, error);
    here.check();  // says what hinders
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
    std::uint64_t removed = 0;
    std::optional<FileType> type;
    try {
        type = client.stat_link(path, deadline).type;
    } catch (const Error& error) {
        if (error.reason() != Reason::unsupported) throw;
        type = client.stat(path, deadline).type;
    }
    if (type == FileType::directory) {
        for (const FileInfo& entry : client.list(path, {}, deadline)) {
            if (!is_safe_name(entry.name)) continue;
            const std::string below = joined(path, entry.name);
            if (entry.type == FileType::directory) {
                removed += remove_tree(client, below, deadline);
            } else {
                client.remove(below, deadline);
                ++removed;
            }
        }
    }
    client.remove(path, deadline);
    return removed + 1;
}

void walk(FileTransferClient& client, std::string_view path, const std::function<bool(const std::string& path, const FileInfo& entry)>& visitor,
          Deadline deadline) {
    walk_below(client, std::string{path}, {}, visitor, deadline);
}

}  // namespace qconn
