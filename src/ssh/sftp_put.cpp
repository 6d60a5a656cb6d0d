// SPDX-License-Identifier: Apache-2.0
// Files that are sent: under a temporary name first, at the end of another, or in their place.
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "file/temporary_name.hpp"
#include "ssh/sftp_operations.hpp"
#include "ssh/sftp_remote.hpp"
#include "ssh/sftp_replace.hpp"

namespace qconn::sftp {

namespace {

/// A link that leads to a link is resolved by the server at once; more than that is somebody who changes it meanwhile.
constexpr int k_most_links = 4;

struct DetachUpload {
    const std::shared_ptr<Upload>& upload;
    ~DetachUpload() { upload->detach(); }
};

/// What comes behind the bytes, sent without waiting for them: attributes, fsync, the size where it has to be right, close.
struct Tail {
    std::vector<Attributes> attributes{};
    // Of the file that is replaced, which nobody asked for:
    /// It is no error where it cannot be had, but then bits that act for it are not given either.
    std::optional<Attributes::Owner> owner{};
    /// No error either, unless the file would be open to more than that.
    std::optional<std::uint32_t> permissions{};
    bool durable{false};
    /// Of a part that is gone on with: its size before. It has to end where the source does.
    std::optional<std::uint64_t> part{};
};

Error refused_source(const Remote& remote) {
    return remote.error(SftpErrc::transfer, Reason::unsupported, "the source cannot be read from the beginning, or from where the part ends");
}

/// @throws Error the refusal of those permissions, where the file is open to more without them
Task<void> expect_as_strict(const Remote& remote, const Refusal& refused, const std::string& path, std::uint32_t permissions) {
    constexpr std::uint32_t k_everybodys = 0777;
    Pending looked = remote.send(path_request(PacketType::lstat, path));
    const Answer look = co_await remote.call.answer(looked);
    const auto now = remote.attributes_if(look);
    if (now && now->permissions && (*now->permissions & k_everybodys & ~permissions) == 0) co_return;
    throw remote.error(refused);
}

/// Sends what the feed has, and the tail. @throws Error; the handle is closed where that was reached
Task<void> send_contents(const Remote& remote, const std::shared_ptr<Upload>& upload, RemoteHandle& handle, const Tail& tail,
                         const std::string& path) {
    struct Asked {
        Pending answer;
        bool may_lack{true};  // it is left out where the server does not know how
    };
    Call& call = remote.call;
    std::vector<Asked> asked;
    std::optional<Pending> owner;
    std::optional<Pending> permissions;
    upload->pump();
    co_await call.until(upload->sent);
    const bool whole = !upload->failed();
    if (whole) {
        if (tail.owner) {
            Attributes step;
            step.owner = tail.owner;
            owner.emplace(remote.send(attributes_request(PacketType::fsetstat, handle.get(), step)));
        }
        if (tail.permissions) {
            Attributes step;
            step.permissions = tail.permissions;
            permissions.emplace(remote.send(attributes_request(PacketType::fsetstat, handle.get(), step)));
        }
        for (const auto& step : tail.attributes) asked.push_back({remote.send(attributes_request(PacketType::fsetstat, handle.get(), step))});
        if (tail.durable && remote.session->abilities().fsync) asked.push_back({remote.send(extended_request("fsync@openssh.com", {handle.get()}))});
    }
    std::optional<Pending> looked;
    const std::uint64_t end = upload->sent_end();
    if (whole && tail.part) {
        if (end < *tail.part) {
            Attributes shorter;
            shorter.size = end;
            asked.push_back({remote.send(attributes_request(PacketType::fsetstat, handle.get(), shorter)), false});
        }
        looked.emplace(remote.send(handle_request(PacketType::fstat, handle.get())));
    }
    std::optional<Pending> closed;
    if (whole) {
        closed.emplace(remote.send(handle_request(PacketType::close, handle.get())));
        handle.release();
    }
    co_await call.until(upload->done);
    if (upload->begun) call.note_begun();
    if (upload->thrown) std::rethrow_exception(upload->thrown);
    if (upload->lost) throw call.lost(*upload->lost);
    if (upload->refusal) {
        Error error = co_await space_error(remote, *upload->refusal, path);
        throw error;
    }
    if (owner) {
        const Answer answer = co_await call.answer(*owner);
        static_cast<void>(remote.refusal(answer));
    }
    if (permissions) {
        const Answer answer = co_await call.answer(*permissions);
        const auto refused = remote.refusal(answer);
        if (refused && refused->code != StatusCode::op_unsupported) co_await expect_as_strict(remote, *refused, path, *tail.permissions);
    }
    for (auto& one : asked) {
        const Answer answer = co_await call.answer(one.answer);
        const auto refused = remote.refusal(answer);
        if (!refused || (one.may_lack && refused->code == StatusCode::op_unsupported)) continue;
        Error error = co_await space_error(remote, *refused, path);
        throw error;
    }
    if (looked) {
        const Answer answer = co_await call.answer(*looked);
        const Attributes now = remote.attributes(answer);
        if (now.size && *now.size != end) {
            throw remote.error(SftpErrc::transfer, Reason::bad_answer,
                               "the file at the server has " + std::to_string(*now.size) + " bytes in place of " + std::to_string(end) +
                                   "; somebody else writes to it too");
        }
    }
    const Answer answer = co_await call.answer(*closed);
    const auto refused = remote.refusal(answer);
    if (refused) {
        Error error = co_await space_error(remote, *refused, path);
        throw error;
    }
}

/// Gives the finished file its name.
Task<void> place(const Remote& remote, const std::string& temporary, const std::string& target, bool posix) {
    Call& call = remote.call;
    Pending renamed = remote.send(posix ? extended_request("posix-rename@openssh.com", {temporary, target})
                                        : two_paths_request(PacketType::rename, temporary, target));
    const Answer answer = co_await call.answer(renamed);
    const auto refused = remote.refusal(answer);
    if (!refused) co_return;
    Error error = co_await target_error(remote, *refused, target);
    throw error;
}

/// A part that can be gone on with.
struct Claim {
    Engine& engine;
    std::string path;
    bool held{false};
    Claim(Engine& e, std::string p) : engine{e}, path{std::move(p)}, held{engine.claim(path)} {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() {
        if (held) engine.release(path);
    }
};

/// What stands at the target, and an open file beside it.
struct Beside {
    Beside() = default;
    std::string target;  // links followed
    std::string temporary;
    std::optional<Attributes> old;
    RemoteHandle handle;
};

std::uint32_t mode_of(const Attributes& attributes) noexcept { return attributes.permissions.value_or(0644) & k_mode_bits; }

/// Not for everybody to read.
bool is_strict_mode(std::uint32_t mode) noexcept { return (mode & 0044U) != 0044U; }

/// Opens the temporary file while the target is looked at, which mostly are one round trip.
/// @param wanted  the permissions that it is to have in the end
Task<Beside> open_beside(const Remote& remote, std::string target, WriteMode mode, bool part, std::optional<std::uint32_t> wanted) {
    Call& call = remote.call;
    constexpr std::uint32_t k_own = 0600;
    std::optional<std::uint32_t> strict;  // the permissions that it has to begin with
    if (wanted && is_strict_mode(*wanted)) strict = k_own;
    for (int tries = 0; tries < k_most_links; ++tries) {
        Beside beside;
        beside.target = target;
        const std::string folder{folder_of(target)};
        beside.temporary = folder + (part ? file::part_name(last_name(target)) : file::temporary_name());
        Attributes first;
        first.permissions = strict;
        Pending looked = remote.send(path_request(PacketType::lstat, target));
        // A part that was there stays, whatever comes.
        std::optional<Pending> part_looked;
        if (part) part_looked.emplace(remote.send(path_request(PacketType::lstat, beside.temporary)));
        Pending opened = remote.open(open_request(beside.temporary, k_open_write | k_open_create | (part ? 0U : k_open_exclusive), first));
        std::optional<Error> error;
        bool made = true;
        bool is_new = !part;
        std::string next;
        try {
            const Answer look = co_await call.answer(looked);
            beside.old = remote.attributes_if(look);
            if (part_looked) {
                const Answer part_look = co_await call.answer(*part_looked);
                const auto none = part_look.type == PacketType::status ? remote.refusal(part_look) : std::nullopt;
                is_new = none && none->code == StatusCode::no_such_file;
            }
            const Answer open = co_await call.answer(opened);
            made = open.type == PacketType::handle;
            std::optional<Refusal> refused;
            if (open.type == PacketType::status) refused = remote.refusal(open);
            const bool is_link = beside.old && is_type(*beside.old, S_IFLNK);
            if (is_link) {
                if (made) beside.handle = remote.handle(open);
                Pending resolved = remote.send(path_request(PacketType::realpath, target));
                const Answer real = co_await call.answer(resolved);
                next = remote.one_name(real);
                if (next == target || next.empty()) throw remote.error(SftpErrc::path, Reason::bad_value, "a symbolic link leads in a circle");
            } else if (beside.old && is_type(*beside.old, S_IFDIR)) {
                if (made) beside.handle = remote.handle(open);
                throw remote.error(SftpErrc::path, Reason::bad_value, "it is a directory; the path has to name the file in it");
            } else if (beside.old && beside.old->permissions && !is_type(*beside.old, S_IFREG)) {
                if (made) beside.handle = remote.handle(open);
                throw remote.error(SftpErrc::unsupported, Reason::unsupported, "it is not a regular file; pipes, sockets and devices are left alone");
            } else if (beside.old && mode == WriteMode::create) {
                if (made) beside.handle = remote.handle(open);
                throw remote.error(SftpErrc::exists, Reason::exists, "the target is there already");
            } else if (refused) {
                Error why = co_await space_error(remote, *refused, beside.temporary);
                throw why;
            } else {
                beside.handle = remote.handle(open);
                // A file that few may read must not be open to more while it is being sent.
                const bool is_strict = beside.old && is_strict_mode(mode_of(*beside.old));
                if (is_strict && part) {
                    Attributes own;
                    own.permissions = k_own;
                    remote.session->forget(attributes_request(PacketType::fsetstat, beside.handle.get(), own));
                }
                if (!is_strict || strict || part) co_return std::move(beside);
                strict = k_own;
                next = target;
            }
        } catch (const Error& thrown) { error = thrown; }
        beside.handle.reset();
        if (is_new && made) co_await take_away(remote, beside.temporary);
        if (error) throw *error;
        target = std::move(next);
    }
    throw remote.error(SftpErrc::path, Reason::bad_value, "the symbolic link leads to others without end");
}

/// Where a part is gone on with: at its end, or at the beginning where it cannot be. @returns its size before
Task<std::uint64_t> resume_part(const Remote& remote, const Beside& beside, Feed& feed) {
    Call& call = remote.call;
    Pending looked = remote.send(handle_request(PacketType::fstat, beside.handle.get()));
    const Answer look = co_await call.answer(looked);
    const Attributes now = remote.attributes(look);
    if (now.permissions && !is_type(now, S_IFREG)) throw remote.error(SftpErrc::unsupported, Reason::unsupported, "the part is not a regular file");
    std::uint64_t size = now.size.value_or(0);
    if (feed.size() && size > *feed.size()) size = 0;
    // It may have a hole where the connection broke just after a WRITE had been refused, not farther back than what is under way at once: that is
    // sent anew.
    const std::uint64_t doubtful = call.engine().options().window;
    feed.begin(size > doubtful ? size - doubtful : 0);
    co_await call.until(feed.ready());
    if (!feed.position()) throw refused_source(remote);
    if (*feed.position() == 0 && size > doubtful) size = 0;  // the source could not go there
    if (size == 0 && now.size.value_or(1) != 0) {
        Attributes empty;
        empty.size = 0;
        Pending emptied = remote.send(attributes_request(PacketType::fsetstat, beside.handle.get(), empty));
        const Answer answer = co_await call.answer(emptied);
        remote.expect_ok(answer);
    }
    co_return size;
}

Task<void> truncate_quietly(Call& call, std::shared_ptr<Session> session, std::string path, std::uint64_t size) {
    if (!session->is_open()) co_return;
    Attributes shorter;
    shorter.size = size;
    Pending asked = call.send(session, attributes_request(PacketType::setstat, path, shorter));
    co_await call.answer(asked);
}

Task<std::uint64_t> put_new(Call& call, std::shared_ptr<Feed> feed, PutOptions how) {
    const std::string full = remote_path(call, call.path());
    Remote remote = co_await connect_for(call, feed->size());
    const bool overwrites = how.mode == WriteMode::replace;
    if (!how.resume) feed->begin(0);
    std::optional<Claim> claim;
    if (how.resume) {
        claim.emplace(call.engine(), full);
        if (!claim->held)
            throw remote.error(SftpErrc::exists, Reason::exists, "another transfer to the same name is under way, which can be resumed");
    }
    Beside beside = co_await open_beside(remote, full, how.mode, how.resume, how.attributes.mode);
    std::optional<Error> error;
    std::exception_ptr thrown;
    std::shared_ptr<Upload> upload;
    std::uint64_t before = 0;
    bool placed = false;
    bool is_ours = !how.resume;  // what has the temporary name, to be taken away where it is not placed
    try {
        if (how.resume) {
            before = co_await resume_part(remote, beside, *feed);
        } else {
            co_await call.until(feed->ready());
        }
        if (!feed->position()) throw refused_source(remote);
        upload = std::make_shared<Upload>(remote.session, beside.handle.get(), *feed, *feed->position(), call.engine().options().window);
        const DetachUpload detacher{upload};
        feed->set_pump([weak = std::weak_ptr{upload}] {
            if (const auto one = weak.lock()) one->pump();
        });
        // A file that this user could not write to is not replaced behind its owner's back.
        std::optional<Pending> writable;
        if (beside.old) writable.emplace(remote.open(open_request(beside.target, k_open_write)));
        Tail tail;
        tail.durable = how.durable;
        if (how.resume) tail.part = before;
        if (beside.old) {
            tail.owner = beside.old->owner;
            if (beside.old->permissions) tail.permissions = mode_of(*beside.old) & 01777U;
        }
        std::optional<Attributes> present;
        if (needs_present(how.attributes)) {
            Pending looked = remote.send(handle_request(PacketType::fstat, beside.handle.get()));
            const Answer look = co_await call.answer(looked);
            present = remote.attributes(look);
        }
        for (auto& step : changes(how.attributes, present)) tail.attributes.push_back(std::move(step));
        co_await send_contents(remote, upload, beside.handle, tail, beside.temporary);
        if (writable) {
            const Answer answer = co_await call.answer(*writable);
            const RemoteHandle closes = remote.handle(answer);
        }
        call.commit();
        const bool posix = overwrites && remote.session->abilities().posix_rename;
        if (overwrites && !posix && beside.old) {
            const bool temporary = std::exchange(is_ours, false);
            co_await replace(remote, beside.temporary, beside.target, temporary);
        } else {
            co_await place(remote, beside.temporary, beside.target, posix);
        }
        placed = true;
    } catch (const Error& e) { error = e; } catch (...) {
        thrown = std::current_exception();
    }
    if (placed) {
        const std::uint64_t end = upload->sent_end();
        co_return end > before ? end - before : 0;
    }
    beside.handle.reset();
    if (is_ours) {
        co_await take_away(remote, beside.temporary);
    } else if (how.resume && upload && upload->refusal && remote.session->is_open() && !call.is_stopped()) {
        // Nothing may stand behind a hole.
        try {
            co_await truncate_quietly(call, remote.session, beside.temporary, upload->stored_end());
        } catch (const Error&) {}
    }
    if (error) throw *error;
    std::rethrow_exception(thrown);
}

/// Whether the file has those bytes there.
Task<bool> holds(Call& call, std::shared_ptr<Session> session, std::string path, std::uint64_t at, std::string_view bytes) {
    Pending opened = call.send(session, open_request(path, k_open_read), true);
    const Answer open = co_await call.answer(opened);
    const auto found = open.type == PacketType::handle ? read_handle(open.body) : std::nullopt;
    if (!found) co_return false;
    const RemoteHandle handle{session, std::string{*found}};
    while (!bytes.empty()) {
        const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size(), session->read_size()));
        Pending asked = call.send(session, read_request(handle.get(), at, most));
        const Answer answer = co_await call.answer(asked);
        const auto data = answer.type == PacketType::data ? read_data(answer.body) : std::nullopt;
        if (!data || data->empty() || !bytes.starts_with(*data)) co_return false;
        at += data->size();
        bytes.remove_prefix(data->size());
    }
    co_return true;
}

/// What an append that failed has left: on the file's end, and nothing else than that.
struct Leftover {
    std::uint64_t before;
    bool made;                       // by this append
    std::shared_ptr<Upload> upload;  // null: nothing was sent
};

/// What was appended goes again. Where the size is not to the byte what it has to be, somebody else has appended too, or shortened it: then all
/// stays.
/// @returns whether nothing of it is left
Task<bool> take_back(Call& call, std::shared_ptr<Session> session, std::string path, Leftover left) {
    if (!session->is_open()) co_return false;
    Pending looked = call.send(session, path_request(PacketType::stat, path));
    const Answer look = co_await call.answer(looked);
    // The server does what it is asked in order: by now all that was sent is answered.
    const auto now = look.type == PacketType::attrs ? read_attributes(look.body) : std::nullopt;
    if (!now || !now->size || (left.upload && left.upload->unanswered() > 0)) co_return false;
    const std::uint64_t counted = left.before + (left.upload ? left.upload->taken() : 0);
    if (*now->size < counted) co_return false;
    if (const std::uint64_t more = *now->size - counted; more > 0) {
        // The server may have stored a part of what it refused then: its beginning.
        if (!left.upload || more > left.upload->refused.size || !left.upload->refused.block) co_return false;
        const std::string_view part{left.upload->refused.block.data() + k_upload_begin, static_cast<std::size_t>(more)};
        const bool is_ours = co_await holds(call, session, path, counted, part);
        if (!is_ours) co_return false;
    }
    if (*now->size > left.before) co_await truncate_quietly(call, session, path, left.before);
    if (left.made && left.before == 0) co_await remove_quietly(call, session, path);
    co_return true;
}

Task<void> take_back_later(Call& call, std::shared_ptr<Session> session, std::string path, Leftover left) {
    co_await take_back(call, std::move(session), std::move(path), std::move(left));
}

// Under the final name, all goes through the first lane: what an earlier call has left on its way there must not come behind what this one writes.

Task<std::uint64_t> put_append(Call& call, std::shared_ptr<Feed> feed, PutOptions how) {
    const std::string full = remote_path(call, call.path());
    Remote remote = co_await connect(call);
    feed->begin(0);
    Pending looked = remote.send(path_request(PacketType::stat, full));
    Pending opened = remote.open(open_request(full, k_open_write | k_open_append | k_open_create));
    const Answer look = co_await call.answer(looked);
    const Answer open = co_await call.answer(opened);
    const auto old = remote.attributes_if(look);
    RemoteHandle handle;
    if (open.type == PacketType::handle) handle = remote.handle(open);
    if (old && old->permissions && !is_type(*old, S_IFREG)) {
        throw is_type(*old, S_IFDIR)
            ? remote.error(SftpErrc::path, Reason::bad_value, "it is a directory; the path has to name the file in it")
            : remote.error(SftpErrc::unsupported, Reason::unsupported, "it is not a regular file; pipes, sockets and devices are left alone");
    }
    if (!handle) {
        const auto refused = remote.refusal(open);
        if (!refused) remote.fault("a file was opened without a handle");
        Error error = co_await space_error(remote, *refused, full);
        throw error;
    }
    const bool made = !old;
    const std::uint64_t before = old ? old->size.value_or(0) : 0;
    std::shared_ptr<Upload> upload;
    std::optional<Error> error;
    std::exception_ptr thrown;
    try {
        co_await call.until(feed->ready());
        if (!feed->position()) throw refused_source(remote);
        // Servers that know no appending take the offset, others the end.
        upload = std::make_shared<Upload>(remote.session, handle.get(), *feed, before, call.engine().options().window);
        upload->keep_refused();
        const DetachUpload detacher{upload};
        feed->set_pump([weak = std::weak_ptr{upload}] {
            if (const auto one = weak.lock()) one->pump();
        });
        Tail tail;
        tail.durable = how.durable;
        std::optional<Attributes> present = old;
        if (needs_present(how.attributes) && !present) {
            Pending now = remote.send(handle_request(PacketType::fstat, handle.get()));
            const Answer answer = co_await call.answer(now);
            present = remote.attributes(answer);
        }
        tail.attributes = changes(how.attributes, present);
        co_await send_contents(remote, upload, handle, tail, full);
        co_return upload->sent_end() - before;
    } catch (const Error& e) { error = e; } catch (...) {
        thrown = std::current_exception();
    }
    handle.reset();
    const Leftover left{before, made, upload};
    bool is_back = false;
    if (call.is_stopped()) {
        call.engine().tidy("taking back what was appended to", call.path(),
                           [session = remote.session, full, left](Call& later) { return take_back_later(later, session, full, left); });
    } else {
        try {
            is_back = co_await take_back(call, remote.session, full, left);
        } catch (const Error&) {}
    }
    if (!error) std::rethrow_exception(thrown);
    if (is_back || !upload || upload->sent_end() == before) throw *error;
    Error told = with_addition(*error, "; what was appended may be in the file still, which had " + std::to_string(before) + " bytes before");
    throw told;
}

Task<std::uint64_t> put_in_place(Call& call, std::shared_ptr<Feed> feed, PutOptions how) {
    const std::string full = remote_path(call, call.path());
    Remote remote = co_await connect(call);
    feed->begin(0);
    call.commit();
    Pending opened = remote.open(open_request(full, k_open_write | k_open_create | k_open_truncate));
    const Answer open = co_await call.answer(opened);
    if (open.type == PacketType::status) {
        const auto refused = remote.refusal(open);
        if (!refused) remote.fault("a file was opened without a handle");
        Error error = co_await space_error(remote, *refused, full);
        throw error;
    }
    RemoteHandle handle = remote.handle(open);
    co_await call.until(feed->ready());
    if (!feed->position()) throw refused_source(remote);
    const auto upload = std::make_shared<Upload>(remote.session, handle.get(), *feed, 0, call.engine().options().window);
    const DetachUpload detacher{upload};
    feed->set_pump([weak = std::weak_ptr{upload}] {
        if (const auto one = weak.lock()) one->pump();
    });
    Tail tail;
    tail.durable = how.durable;
    std::optional<Attributes> present;
    if (needs_present(how.attributes)) {
        Pending now = remote.send(handle_request(PacketType::fstat, handle.get()));
        const Answer answer = co_await call.answer(now);
        present = remote.attributes(answer);
    }
    tail.attributes = changes(how.attributes, present);
    co_await send_contents(remote, upload, handle, tail, full);
    co_return upload->sent_end();
}

}  // namespace

Task<std::uint64_t> put(Call& call, std::shared_ptr<Feed> feed, PutOptions how) {
    if (call.path().empty() || call.path().ends_with('/')) {
        throw sftp_error(call.subject(), SftpErrc::path, Reason::bad_value, "it is a directory; the path has to name the file in it");
    }
    switch (how.mode) {
        case WriteMode::append: return put_append(call, std::move(feed), std::move(how));
        case WriteMode::in_place: return put_in_place(call, std::move(feed), std::move(how));
        case WriteMode::replace:
        case WriteMode::create: break;
    }
    return put_new(call, std::move(feed), std::move(how));
}

}  // namespace qconn::sftp
