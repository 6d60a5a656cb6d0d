// SPDX-License-Identifier: Apache-2.0
#include <qconn/file/file_client.hpp>

#include <atomic>

#include "base/redaction.hpp"
#include "file/file_error.hpp"
#include "file/operation.hpp"
#include "file/storage.hpp"

namespace qconn {
namespace {

// For messages and for the paths of calls: no double or trailing slashes, no ".". ".." stays, as links may stand before it.
std::string tidy(std::string_view path) {
    std::string result;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto part = path.substr(0, slash);
        if (!part.empty() && part != ".") result.append(1, '/').append(part);
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    }
    return result.empty() ? "/" : result;
}

std::string_view verb_of(WriteMode mode) noexcept { return mode == WriteMode::append ? "appending to" : "writing"; }

}  // namespace

struct FileClient::Impl {
    Impl(FileOptions o, Runtime r) : options{std::move(o)}, redactions{redactions_of(options.label)}, runtime{std::move(r)} {}

    FileOptions options;
    Redactions redactions;  // in force also for what is said after the client has gone
    Runtime runtime;
    file::Calls calls;
    std::atomic<bool> closed{false};

    file::Stop stop(Deadline deadline) const noexcept { return file::Stop{deadline, nullptr, &closed}; }
    file::Task task(std::string_view verb, std::string_view path = {}) const { return {options.label, options.path, verb, path}; }
};

FileClient::FileClient(FileOptions options, Runtime runtime) {
    if (!options.path.starts_with('/') || options.path.find('\0') != std::string::npos) {
        const file::Task task{options.label, options.path, {}, {}};
        throw file::directory_error(task, 0, "is not an absolute path of this system");
    }
    options.path = tidy(options.path);
    impl_ = std::make_shared<Impl>(std::move(options), std::move(runtime));
}

FileClient::~FileClient() { FileClient::stop(); }

void FileClient::stop() noexcept {
    impl_->closed = true;
    impl_->calls.cancel_all();
}

std::string_view FileClient::label() const noexcept { return impl_->options.label; }
const FileOptions& FileClient::options() const noexcept { return impl_->options; }
void FileClient::check() const { file::check_directory(impl_->task("checking"), impl_->options); }

// Blocking calls keep what they use: the client may be destroyed meanwhile, which ends them between two blocks.
std::vector<FileInfo> FileClient::list(std::string_view path, std::string_view pattern, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] { return file::list(impl->task("listing", path), impl->options, pattern, impl->stop(deadline)); });
}
FileInfo FileClient::stat(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] { return file::stat(impl->task("looking at", path), impl->options, true, impl->stop(deadline)); });
}
FileInfo FileClient::stat_link(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] { return file::stat(impl->task("looking at", path), impl->options, false, impl->stop(deadline)); });
}
void FileClient::visit(std::string_view path, const FileVisitor& visitor, Deadline deadline) {
    const auto impl = impl_;
    observed([&] { file::visit(impl->task("listing", path), impl->options, visitor, impl->stop(deadline)); });
}
void FileClient::set_attributes(std::string_view path, const FileAttributes& attributes, Deadline deadline) {
    const auto impl = impl_;
    observed([&] { file::set_attributes(impl->task("changing", path), impl->options, attributes, impl->stop(deadline)); });
}
void FileClient::make_symlink(std::string_view target, std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    observed([&] { file::make_symlink(impl->task("making the link", path), impl->options, target, impl->stop(deadline)); });
}
void FileClient::make_hard_link(std::string_view existing, std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    observed([&] { file::make_hard_link(impl->task("making the link", path), impl->options, existing, impl->stop(deadline)); });
}
std::string FileClient::read(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] { return file::read(impl->task("reading", path), impl->options, impl->stop(deadline)); });
}
void FileClient::write(std::string_view path, std::string_view data, WriteMode mode, Deadline deadline) {
    const auto source = text_source(data);
    put(path, *source, {.mode = mode}, deadline);
}
std::uint64_t FileClient::get(std::string_view path, ByteSink& sink, const GetOptions& how, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] { return file::get(impl->task("reading", path), impl->options, sink, how, impl->stop(deadline)); });
}
std::uint64_t FileClient::put(std::string_view path, ByteSource& source, const PutOptions& how, Deadline deadline) {
    const auto impl = impl_;
    return observed([&] { return file::put(impl->task(verb_of(how.mode), path), impl->options, source, how, impl->stop(deadline)); });
}
void FileClient::move(std::string_view from, std::string_view to, bool overwrite, Deadline deadline) {
    const auto impl = impl_;
    observed([&] { file::move(impl->task("moving", from), impl->options, to, overwrite, impl->stop(deadline)); });
}
void FileClient::remove(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    observed([&] { file::remove(impl->task("removing", path), impl->options, impl->stop(deadline)); });
}
void FileClient::make_directory(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    observed([&] { file::make_directory(impl->task("making the directory", path), impl->options, impl->stop(deadline)); });
}
FreeSpace FileClient::free_space(Deadline) {
    const auto impl = impl_;
    return observed([&] { return file::free_space(impl->task("asking for free space"), impl->options); });
}

// Starts `work(task, options, stop)` on the blocking pool; its result, or nothing, goes to the callback.
template <class T, class Work>
Operation FileClient::start(std::string_view verb, std::string path, Deadline deadline, Callback<T> callback, Work work) {
    auto call = std::make_shared<file::Call>(impl_->runtime, impl_->options.label, impl_->options.path, std::string{verb}, std::move(path), deadline);
    impl_->calls.add(call);
    // Written by the work before it reports success, read by the callback after it.
    auto outcome = std::make_shared<std::optional<Result<T>>>();
    call->start(
        [work = std::move(work), outcome, impl = impl_, weak = std::weak_ptr{call}](const file::Stop& stop) mutable {
            const auto self = weak.lock();  // the pool's own copy keeps it
            if constexpr (std::is_void_v<T>) {
                work(self->task(), impl->options, stop);
                outcome->emplace();
            } else {
                outcome->emplace(work(self->task(), impl->options, stop));
            }
        },
        [outcome, callback = under_way(std::move(callback))](std::optional<Error> error) mutable {
            if (error)
                callback(Result<T>{std::move(*error)});
            else
                callback(std::move(**outcome));
        },
        [impl = impl_, key = call.get()] { impl->calls.remove(key); });
    return Operation{std::move(call)};
}

Operation FileClient::async_list(std::string path, std::string pattern, Deadline deadline, Callback<std::vector<FileInfo>> callback) {
    return start<std::vector<FileInfo>>("listing", std::move(path), deadline, std::move(callback),
                                        [pattern = std::move(pattern)](const file::Task& task, const FileOptions& options, const file::Stop& stop) {
                                            return file::list(task, options, pattern, stop);
                                        });
}

Operation FileClient::async_stat(std::string path, Deadline deadline, Callback<FileInfo> callback) {
    return start<FileInfo>(
        "looking at", std::move(path), deadline, std::move(callback),
        [](const file::Task& task, const FileOptions& options, const file::Stop& stop) { return file::stat(task, options, true, stop); });
}

Operation FileClient::async_read(std::string path, Deadline deadline, Callback<std::string> callback) {
    return start<std::string>("reading", std::move(path), deadline, std::move(callback), &file::read);
}

Operation FileClient::async_write(std::string path, std::string data, WriteMode mode, Deadline deadline, Callback<void> callback) {
    return start<void>(verb_of(mode), std::move(path), deadline, std::move(callback),
                       [data = std::move(data), mode](const file::Task& task, const FileOptions& options, const file::Stop& stop) {
                           const auto source = text_source(data);
                           file::put(task, options, *source, {.mode = mode}, stop);
                       });
}

Operation FileClient::async_get(std::string path, std::shared_ptr<ByteSink> sink, GetOptions how, Deadline deadline,
                                Callback<std::uint64_t> callback) {
    return start<std::uint64_t>(
        "reading", std::move(path), deadline, std::move(callback),
        [sink = std::move(sink), how = std::move(how)](const file::Task& task, const FileOptions& options, const file::Stop& stop) {
            return file::get(task, options, *sink, how, stop);
        });
}

Operation FileClient::async_put(std::string path, std::shared_ptr<ByteSource> source, PutOptions how, Deadline deadline,
                                Callback<std::uint64_t> callback) {
    const std::string_view verb = verb_of(how.mode);
    return start<std::uint64_t>(
        verb, std::move(path), deadline, std::move(callback),
        [source = std::move(source), how = std::move(how)](const file::Task& task, const FileOptions& options, const file::Stop& stop) {
            return file::put(task, options, *source, how, stop);
        });
}

Operation FileClient::async_move(std::string from, std::string to, bool overwrite, Deadline deadline, Callback<void> callback) {
    return start<void>("moving", std::move(from), deadline, std::move(callback),
                       [to = std::move(to), overwrite](const file::Task& task, const FileOptions& options, const file::Stop& stop) {
                           file::move(task, options, to, overwrite, stop);
                       });
}

Operation FileClient::async_remove(std::string path, Deadline deadline, Callback<void> callback) {
    return start<void>("removing", std::move(path), deadline, std::move(callback), &file::remove);
}

Operation FileClient::async_make_directory(std::string path, Deadline deadline, Callback<void> callback) {
    return start<void>("making the directory", std::move(path), deadline, std::move(callback), &file::make_directory);
}

}  // namespace qconn
