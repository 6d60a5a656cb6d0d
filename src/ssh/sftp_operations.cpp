// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_operations.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "ssh/sftp_remote.hpp"
#include "ssh/sftp_replace.hpp"

namespace qconn::sftp {

namespace {

/// Lets go of a transfer whatever ends the operation.
template <class Transfer>
struct Detacher {
    const std::shared_ptr<Transfer>& transfer;
    ~Detacher() { transfer->detach(); }
};

/// @throws what ended it, where that is a failure
template <class Transfer>
void throw_failure(const Remote& remote, const Transfer& transfer) {
    if (transfer.begun) remote.call.note_begun();
    if (transfer.thrown) std::rethrow_exception(transfer.thrown);
    if (transfer.lost) throw remote.call.lost(*transfer.lost);
    if (transfer.refusal) throw remote.error(*transfer.refusal);
}

Error no_regular_file(const Remote& remote, const Attributes& attributes) {
    if (is_type(attributes, S_IFDIR)) return remote.error(SftpErrc::path, Reason::bad_value, "it is a directory");
    return remote.error(SftpErrc::unsupported, Reason::unsupported, "it is not a regular file; pipes, sockets and devices are left alone");
}

}  // namespace

Task<FileInfo> stat(Call& call, bool follow) {
    call.set_repeatable(true);
    const std::string full = remote_path(call, call.path());
    Remote remote = co_await connect(call);
    Pending looked = remote.send(path_request(follow ? PacketType::stat : PacketType::lstat, full));
    std::optional<Pending> read;
    if (!follow) read.emplace(remote.send(path_request(PacketType::readlink, full)));
    const Answer look = co_await call.answer(looked);
    FileInfo info = info_of(std::string{last_name(full)}, remote.attributes(look));
    if (read) {
        const Answer link = co_await call.answer(*read);
        if (info.type == FileType::symlink && link.type == PacketType::name) info.target = remote.one_name(link);
    }
    co_return info;
}

Task<void> check(Call& call) {
    call.set_repeatable(true);
    std::string full = remote_path(call, {});
    if (!full.ends_with('/')) full += '/';
    Remote remote = co_await connect(call);
    Pending looked = remote.send(path_request(PacketType::stat, full + '.'));  // "." can be looked at by who may enter it
    const Answer look = co_await call.answer(looked);
    remote.attributes(look);
}

Task<void> list(Call& call, std::string pattern, std::shared_ptr<Taker> taker) {
    call.set_repeatable(true);
    const std::string full = remote_path(call, call.path());
    Remote remote = co_await connect(call);
    Pending opened = remote.open(path_request(PacketType::opendir, full));
    const Answer open = co_await call.answer(opened);
    if (open.type == PacketType::status) {
        // Servers say of a file that it is not there, or a bare "failure".
        Pending looked = remote.send(path_request(PacketType::stat, full));
        const Answer look = co_await call.answer(looked);
        const auto there = remote.attributes_if(look);
        if (there && there->permissions && !is_type(*there, S_IFDIR))
            throw remote.error(SftpErrc::path, Reason::bad_value, "it is a file, and no directory");
    }
    const RemoteHandle handle = remote.handle(open);
    const auto listing = std::make_shared<Listing>(remote.session, handle.get(), full, std::move(pattern), *taker);
    const Detacher<Listing> detacher{listing};
    taker->set_pump([weak = std::weak_ptr{listing}] {
        if (const auto one = weak.lock()) one->pump();
    });
    listing->pump();
    co_await call.until(*listing);
    if (listing->delivered) call.set_repeatable(false);
    throw_failure(remote, *listing);
}

namespace {

struct OpenFile {
    RemoteHandle handle{};
    std::optional<std::uint64_t> size{};
    /// What there is to read, so far as the server told.
    std::uint64_t left(std::uint64_t from, std::uint64_t most) const noexcept {
        const std::uint64_t all = size.value_or(0);
        return std::min(all - std::min(from, all), most);
    }
};

Task<OpenFile> open_to_read(const Remote& remote, const std::string& full) {
    Pending looked = remote.send(path_request(PacketType::stat, full));
    Pending opened = remote.open(open_request(full, k_open_read));
    const Answer look = co_await remote.call.answer(looked);
    const Answer open = co_await remote.call.answer(opened);
    const auto attributes = remote.attributes_if(look);
    OpenFile file;
    if (open.type == PacketType::handle) file.handle = remote.handle(open);
    if (attributes && attributes->permissions && !is_type(*attributes, S_IFREG)) throw no_regular_file(remote, *attributes);
    if (!file.handle) remote.handle(open);  // throws
    if (attributes) file.size = attributes->size;
    co_return std::move(file);
}

}  // namespace

Task<std::uint64_t> get(Call& call, std::shared_ptr<Drain> drain, std::uint64_t from, std::uint64_t most) {
    call.set_repeatable(true);
    const std::string full = remote_path(call, call.path());
    Remote remote = co_await connect(call);
    OpenFile file = co_await open_to_read(remote, full);
    drain->expect(file.size);
    bool elsewhere = false;
    if (is_large(file.left(from, most))) {
        Seat seat = co_await call.engine().seat(call);
        elsewhere = seat.session != remote.session;
        remote.session = std::move(seat.session);
        remote.place = std::move(seat.place);
        if (elsewhere) {  // a handle is good in its own session only
            OpenFile again = co_await open_to_read(remote, full);
            file = std::move(again);
            drain->expect(file.size);
        }
    }
    // Offsets that no file can have are no error either.
    if (file.size.value_or(0) != 0 && from >= *file.size) co_return 0;
    const Download::Range range{from, most, file.size};
    const auto download = std::make_shared<Download>(remote.session, file.handle.get(), *drain, range, call.engine().options().window);
    const Detacher<Download> detacher{download};
    drain->set_pump([weak = std::weak_ptr{download}] {
        if (const auto one = weak.lock()) one->pump();
    });
    download->pump();
    co_await call.until(*download);
    if (download->delivered() > 0) call.set_repeatable(false);
    throw_failure(remote, *download);
    if (elsewhere) {
        // What is done next with the file goes through another channel, and may want it closed. It has all come, whatever the answer.
        Pending closed = remote.send(handle_request(PacketType::close, file.handle.get()));
        file.handle.release();
        try {
            co_await call.answer(closed);
        } catch (const Error&) {}
    }
    co_return download->delivered();
}

namespace {

/// Without what changes nothing: "." and doubled slashes. Names with ".." may lead through links.
std::string plain_path(std::string_view path) {
    std::string plain{path.starts_with('/') ? "/" : ""};
    for (const std::string_view name : text::split(path, '/')) {
        if (name.empty() || name == ".") continue;
        if (!plain.empty() && !plain.ends_with('/')) plain += '/';
        plain += name;
    }
    return plain;
}

/// A directory is not replaced. Where the server tells no types, only one can be opened as that.
Task<bool> is_directory(const Remote& remote, const Attributes& attributes, const std::string& path) {
    if (attributes.permissions) co_return is_type(attributes, S_IFDIR);
    Pending opened = remote.open(path_request(PacketType::opendir, path));
    const Answer open = co_await remote.call.answer(opened);
    if (open.type != PacketType::handle) co_return false;
    const RemoteHandle closes = remote.handle(open);
    co_return true;
}

}  // namespace

Task<void> move(Call& call, std::string to, bool overwrite) {
    const std::string source = remote_path(call, call.path());
    const std::string target = remote_path(call, to);
    Remote remote = co_await connect(call);
    const bool replaces = overwrite && remote.session->abilities().posix_rename;
    if (overwrite && plain_path(source) == plain_path(target)) {
        // It has that name, if it is there.
        Pending looked = remote.send(path_request(PacketType::lstat, source));
        const Answer look = co_await call.answer(looked);
        remote.attributes(look);
        co_return;
    }
    call.commit();
    Pending renamed = remote.send(replaces ? extended_request("posix-rename@openssh.com", {source, target})
                                           : two_paths_request(PacketType::rename, source, target));
    const Answer first = co_await call.answer(renamed);
    auto refused = remote.refusal(first);
    if (!refused) co_return;
    if (overwrite && !replaces && refused->code != StatusCode::no_such_file) {
        // Without the extension the target has to make room first. Only where both are there, and it is a file.
        Pending looked = remote.send(path_request(PacketType::lstat, source));
        Pending target_looked = remote.send(path_request(PacketType::lstat, target));
        const Answer look = co_await call.answer(looked);
        const Answer target_look = co_await call.answer(target_looked);
        const auto there = remote.attributes_if(target_look);
        if (look.type == PacketType::attrs && there) {
            const bool is_kept = co_await is_directory(remote, *there, target);
            if (!is_kept) {
                co_await replace(remote, source, target, false);
                co_return;
            }
        }
    }
    // With overwriting what stands in the way is a directory, or it lies on another file system.
    if (replaces && refused->code == StatusCode::failure) {
        Pending looked = remote.send(path_request(PacketType::lstat, target));
        const Answer look = co_await call.answer(looked);
        const auto there = remote.attributes_if(look);
        if (!there || !is_type(*there, S_IFDIR)) throw remote.error(*refused, "the two may be on different file systems");
    }
    Error error = co_await target_error(remote, *refused, target);
    throw error;
}

Task<void> remove(Call& call) {
    const std::string full = remote_path(call, call.path());
    if (call.path().empty() || call.path() == ".") {
        throw sftp_error(call.subject(), SftpErrc::path, Reason::bad_value, "the connection's own directory is not removed");
    }
    Remote remote = co_await connect(call);
    call.commit();
    Pending removed = remote.send(path_request(PacketType::remove, full));
    const Answer removal = co_await call.answer(removed);
    const auto refused = remote.refusal(removal);
    if (!refused) co_return;
    if (refused->code == StatusCode::no_such_file) throw remote.error(*refused);
    Pending looked = remote.send(path_request(PacketType::lstat, full));
    const Answer look = co_await call.answer(looked);
    const auto there = remote.attributes_if(look);
    if (!there || !is_type(*there, S_IFDIR)) throw remote.error(*refused);
    Pending emptied = remote.send(path_request(PacketType::rmdir, full));
    const Answer emptying = co_await call.answer(emptied);
    const auto again = remote.refusal(emptying);
    if (!again) co_return;
    if (reason_of(again->status()) == Reason::status)
        throw status_error(call.subject(), again->status(), Reason::exists, "the directory is probably not empty");
    throw remote.error(*again);
}

Task<void> make_directory(Call& call) {
    const std::string full = remote_path(call, call.path());
    Remote remote = co_await connect(call);
    Pending made = remote.send(attributes_request(PacketType::mkdir, full, {}));
    Pending looked = remote.send(path_request(PacketType::stat, full));
    const Answer make = co_await call.answer(made);
    const Answer look = co_await call.answer(looked);
    if (make.type != PacketType::status) remote.expect_ok(make);  // throws
    const auto there = remote.attributes_if(look);
    if (there && is_type(*there, S_IFDIR)) co_return;
    if (!remote.refusal(make)) co_return;  // a server that tells no types, or it has gone since

    // Each directory on the way, all at once; others may be making them too.
    std::vector<std::string> steps;
    std::vector<Pending> asked;
    for (std::size_t end = 0; end < full.size();) {
        end = std::min(full.find('/', end + 1), full.size());
        const std::string_view step = std::string_view{full}.substr(0, end);
        if (step.ends_with('/')) continue;
        steps.emplace_back(step);
        asked.push_back(remote.send(attributes_request(PacketType::mkdir, step, {})));
        asked.push_back(remote.send(path_request(PacketType::stat, step)));
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Answer step_make = co_await call.answer(asked[2 * i]);
        const Answer step_look = co_await call.answer(asked[2 * i + 1]);
        auto refused = remote.refusal(step_make);
        if (!refused) continue;
        const auto step_there = remote.attributes_if(step_look);
        if (step_there && is_type(*step_there, S_IFDIR)) continue;
        if (step_there) {
            const bool is_last = i + 1 == steps.size();
            throw status_error(call.subject(), refused->status(), is_last ? Reason::exists : Reason::not_found,
                               is_last ? "there is a file of that name" : "\"" + text::printable(steps[i]) + "\" on the way to it is no directory");
        }
        Error error = co_await space_error(remote, *refused, steps[i]);
        throw error;
    }
}

Task<FreeSpace> free_space(Call& call) {
    call.set_repeatable(true);
    const std::string full = remote_path(call, {});
    Remote remote = co_await connect(call);
    if (!remote.session->abilities().statvfs) {
        throw remote.error(SftpErrc::unsupported, Reason::unsupported, "the server does not have the extension statvfs@openssh.com");
    }
    Pending asked = remote.send(extended_request("statvfs@openssh.com", {full}));
    const Answer answer = co_await call.answer(asked);
    if (answer.type == PacketType::status) remote.expect_ok(answer);
    const auto space = answer.type == PacketType::extended_reply ? read_space(answer.body) : std::nullopt;
    if (!space) remote.fault("the answer about free space is malformed");
    const std::uint64_t unit = space->fragment != 0 ? space->fragment : space->block;
    FreeSpace result;
    result.total = space->blocks * unit;
    result.available = space->blocks_available * unit;
    result.files = space->files;
    result.files_free = space->files_available;
    co_return result;
}

Task<void> set_attributes(Call& call, FileAttributes attributes) {
    const std::string full = remote_path(call, call.path());
    Remote remote = co_await connect(call);
    std::optional<Attributes> now;
    if (needs_present(attributes)) {
        Pending looked = remote.send(path_request(PacketType::stat, full));
        const Answer look = co_await call.answer(looked);
        now = remote.attributes(look);
    }
    call.commit();
    std::vector<Pending> asked;
    for (const auto& step : changes(attributes, now)) asked.push_back(remote.send(attributes_request(PacketType::setstat, full, step)));
    for (auto& one : asked) {
        const Answer answer = co_await call.answer(one);
        remote.expect_ok(answer);
    }
}

Task<void> make_symlink(Call& call, std::string target) {
    const std::string full = remote_path(call, call.path());
    if (target.empty() || target.find('\0') != npos) {
        throw sftp_error(call.subject(), SftpErrc::path, Reason::bad_value, "the target of the link is empty or holds a zero byte");
    }
    Remote remote = co_await connect(call);
    call.commit();
    Pending made = remote.send(two_paths_request(PacketType::symlink, target, full));
    const Answer answer = co_await call.answer(made);
    auto refused = remote.refusal(answer);
    if (!refused) co_return;
    Error error = co_await target_error(remote, *refused, full);
    throw error;
}

Task<void> make_hard_link(Call& call, std::string existing) {
    const std::string full = remote_path(call, call.path());
    const std::string source = remote_path(call, existing);
    Remote remote = co_await connect(call);
    if (!remote.session->abilities().hardlink)
        throw remote.error(SftpErrc::unsupported, Reason::unsupported, "the server does not have the extension hardlink@openssh.com");
    call.commit();
    Pending made = remote.send(extended_request("hardlink@openssh.com", {source, full}));
    const Answer answer = co_await call.answer(made);
    auto refused = remote.refusal(answer);
    if (!refused) co_return;
    if (refused->code == StatusCode::no_such_file) throw status_error(call.subject(existing), refused->status(), Reason::not_found, {});
    if (refused->code == StatusCode::failure) {
        Pending looked = remote.send(path_request(PacketType::lstat, full));
        const Answer look = co_await call.answer(looked);
        if (!remote.attributes_if(look)) throw remote.error(*refused, "the two may be on different file systems");
    }
    Error error = co_await target_error(remote, *refused, full);
    throw error;
}

}  // namespace qconn::sftp
