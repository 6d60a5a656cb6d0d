// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_remote.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace qconn::sftp {

void RemoteHandle::reset() {
    if (const auto session = std::exchange(session_, nullptr)) session->forget(handle_request(PacketType::close, handle_));
}

void Remote::fault(std::string_view what) const {
    session->fail_protocol(what);
    throw call.lost(session->end_error());
}

std::optional<Refusal> Remote::refusal(const Answer& answer) const {
    if (answer.type != PacketType::status) fault("an answer is no status where only that can come");
    const auto status = read_status(answer.body);
    if (!status) fault("a status is malformed");
    if (status->code == StatusCode::ok) return std::nullopt;
    return Refusal{status->code, std::string{status->words}};
}

Error Remote::error(const Refusal& refusal, std::string_view hint) const {
    return status_error(call.subject(), refusal.status(), reason_of(refusal.status()), hint);
}

void Remote::expect_ok(const Answer& answer) const {
    if (const auto refused = refusal(answer)) throw error(*refused);
}

RemoteHandle Remote::handle(const Answer& answer) const {
    if (answer.type == PacketType::status) {
        const auto refused = refusal(answer);
        if (!refused) fault("a file was opened without a handle");
        throw error(*refused);
    }
    const auto found = answer.type == PacketType::handle ? read_handle(answer.body) : std::nullopt;
    if (!found) fault("a handle is malformed");
    return RemoteHandle{session, std::string{*found}};
}

Attributes Remote::attributes(const Answer& answer) const {
    if (answer.type == PacketType::status) {
        const auto refused = refusal(answer);
        if (!refused) fault("a file was looked at, and no attributes came");
        throw error(*refused);
    }
    const auto found = answer.type == PacketType::attrs ? read_attributes(answer.body) : std::nullopt;
    if (!found) fault("attributes are malformed");
    return *found;
}

std::optional<Attributes> Remote::attributes_if(const Answer& answer) const {
    if (answer.type == PacketType::status) return std::nullopt;
    return attributes(answer);
}

std::string Remote::one_name(const Answer& answer) const {
    if (answer.type == PacketType::status) {
        const auto refused = refusal(answer);
        if (!refused) fault("a name was asked for, and none came");
        throw error(*refused);
    }
    const auto names = answer.type == PacketType::name ? read_names(answer.body) : std::nullopt;
    if (!names || names->size() != 1) fault("a name is malformed");
    return std::string{names->front().name};
}

Task<Remote> connect(Call& call) {
    std::shared_ptr<Session> session = co_await call.engine().session(call);
    Remote remote{call, std::move(session)};
    co_return remote;
}

Task<Remote> connect_for(Call& call, std::optional<std::uint64_t> size) {
    if (!is_large(size)) {
        Remote remote = co_await connect(call);
        co_return std::move(remote);
    }
    Seat seat = co_await call.engine().seat(call);
    Remote remote{call, std::move(seat.session), std::move(seat.place)};
    co_return std::move(remote);
}

std::string remote_path(const Call& call, std::string_view path) {
    const std::string& root = call.engine().options().path;
    if (path.find('\0') != npos) throw sftp_error(call.subject(path), SftpErrc::path, Reason::bad_value, "the path holds a zero byte");
    std::string full;
    if (path.starts_with('/') || root.empty())
        full = path;
    else if (path.empty())
        full = root;
    else
        full = root + (root.ends_with('/') ? "" : "/") + std::string{path};
    if (full.empty()) full = ".";
    if (full.size() > k_max_name) throw sftp_error(call.subject(path.substr(0, 64)), SftpErrc::path, Reason::bad_value, "the path is too long");
    return full;
}

std::string_view folder_of(std::string_view path) noexcept {
    const auto slash = path.rfind('/');
    return slash == npos ? std::string_view{} : path.substr(0, slash + 1);
}

std::string_view last_name(std::string_view path) noexcept {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    const auto slash = path.rfind('/');
    return slash == npos || path.size() == 1 ? path : path.substr(slash + 1);
}

Task<Error> space_error(const Remote& remote, const Refusal& refusal, const std::string& path) {
    const Reason known = reason_of(refusal.status());
    if (known != Reason::status || refusal.code != StatusCode::failure || !remote.session->abilities().statvfs) co_return remote.error(refusal);
    const std::string_view folder = folder_of(path);
    Pending asked = remote.send(extended_request("statvfs@openssh.com", {folder.empty() ? std::string_view{"."} : folder}));
    const Answer answer = co_await remote.call.answer(asked);
    const auto space = answer.type == PacketType::extended_reply ? read_space(answer.body) : std::nullopt;
    const auto said = [&](Reason reason, std::string_view hint) { return status_error(remote.call.subject(), refusal.status(), reason, hint); };
    if (!space) co_return remote.error(refusal);
    // What is left may be less than what did not fit: the chunks are of that size.
    const std::uint64_t left = space->blocks_available * std::max(space->fragment, space->block);
    if ((space->flags & k_space_read_only) != 0) co_return said(Reason::permission, "its file system is mounted read-only");
    if (left < remote.session->write_size()) co_return said(Reason::disk_full, "its file system is full");
    if (space->files > 0 && space->files_available == 0) co_return said(Reason::disk_full, "its file system has no room for another file");
    co_return remote.error(refusal, "its file system is not full; a quota may be");
}

Task<Error> target_error(const Remote& remote, const Refusal& refusal, const std::string& target) {
    const Reason known = reason_of(refusal.status());
    if (known != Reason::status) co_return remote.error(refusal);
    Pending looked = remote.send(path_request(PacketType::lstat, target));
    const Answer look = co_await remote.call.answer(looked);
    const auto there = remote.attributes_if(look);
    if (!there) {
        Error error = co_await space_error(remote, refusal, target);
        co_return error;
    }
    co_return status_error(remote.call.subject(), refusal.status(), Reason::exists,
                           is_type(*there, S_IFDIR) ? "the target is there already, and a directory" : "the target is there already");
}

Task<void> remove_quietly(Call& call, std::shared_ptr<Session> session, std::string path) {
    if (!session->is_open()) co_return;
    Pending removed = call.send(session, path_request(PacketType::remove, path));
    co_await call.answer(removed);
}

Task<void> take_away(const Remote& remote, const std::string& path) {
    if (!remote.session->is_open()) co_return;
    if (remote.call.is_stopped()) {
        remote.call.engine().tidy("removing a temporary file after", remote.call.path(),
                                  [session = remote.session, path](Call& call) { return remove_quietly(call, session, path); });
        co_return;
    }
    try {
        co_await remove_quietly(remote.call, remote.session, path);
    } catch (const Error&) {  // what is told is why it is of no use; it is asked once, and may be done yet
    }
}

bool is_type(const Attributes& attributes, std::uint32_t type) noexcept {
    return attributes.permissions && (*attributes.permissions & S_IFMT) == type;
}

bool needs_present(const FileAttributes& wanted) noexcept { return wanted.uid.has_value() != wanted.gid.has_value(); }

std::vector<Attributes> changes(const FileAttributes& wanted, const std::optional<Attributes>& now) {
    std::vector<Attributes> steps;
    if (wanted.uid || wanted.gid) {
        Attributes::Owner owner = now && now->owner ? *now->owner : Attributes::Owner{};
        owner.uid = wanted.uid.value_or(owner.uid);
        owner.gid = wanted.gid.value_or(owner.gid);
        steps.emplace_back().owner = owner;
    }
    if (wanted.mode || wanted.modified) {
        Attributes& step = steps.emplace_back();
        if (wanted.mode) step.permissions = *wanted.mode & k_mode_bits;
        if (wanted.modified) {
            const auto to_seconds = [](std::chrono::system_clock::time_point time) {
                const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
                return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, std::numeric_limits<std::uint32_t>::max()));
            };
            step.times = Attributes::Times{to_seconds(std::chrono::system_clock::now()), to_seconds(*wanted.modified)};
        }
    }
    return steps;
}

}  // namespace qconn::sftp
