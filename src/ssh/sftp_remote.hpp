// SPDX-License-Identifier: Apache-2.0
/// What operations have in common: paths, answers, handles, and what a bare "failure" may mean.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ssh/sftp_call.hpp"
#include "ssh/sftp_download.hpp"
#include "ssh/sftp_engine.hpp"

namespace qconn::sftp {

/// An open handle; closed when it goes, without waiting for the answer.
class RemoteHandle {
public:
    RemoteHandle() noexcept = default;
    RemoteHandle(std::shared_ptr<Session> session, std::string handle) noexcept : session_{std::move(session)}, handle_{std::move(handle)} {}
    RemoteHandle(RemoteHandle&& other) noexcept : session_{std::move(other.session_)}, handle_{std::move(other.handle_)} { other.session_ = nullptr; }
    RemoteHandle& operator=(RemoteHandle&& other) noexcept {
        std::swap(session_, other.session_);
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~RemoteHandle() { reset(); }
    const std::string& get() const noexcept { return handle_; }
    explicit operator bool() const noexcept { return session_ != nullptr; }
    void reset();
    /// It is closed by somebody else.
    void release() noexcept { session_ = nullptr; }

private:
    std::shared_ptr<Session> session_;
    std::string handle_;
};

/// A call that has its session.
struct Remote {
    Remote(Call& c, std::shared_ptr<Session> s, Place p = {}) noexcept : call{c}, session{std::move(s)}, place{std::move(p)} {}
    Call& call;
    std::shared_ptr<Session> session;
    Place place;  // of a large transfer

    Pending send(std::string packet) const { return call.send(session, std::move(packet)); }
    Pending open(std::string packet) const { return call.send(session, std::move(packet), true); }

    /// Nothing where the status is OK.
    std::optional<Refusal> refusal(const Answer& answer) const;
    /// Where only a status can come. @throws Error what it says, unless it is OK
    void expect_ok(const Answer& answer) const;
    /// @throws Error what the status says that came in place of a handle; likewise below
    RemoteHandle handle(const Answer& answer) const;
    Attributes attributes(const Answer& answer) const;
    /// Of READLINK and REALPATH.
    std::string one_name(const Answer& answer) const;
    std::optional<Attributes> attributes_if(const Answer& answer) const;

    Error error(const Refusal& refusal, std::string_view hint = {}) const;
    Error error(SftpErrc code, Reason reason, std::string_view what) const { return sftp_error(call.subject(), code, reason, what); }
    /// What came is not SFTP: the session ends.
    [[noreturn]] void fault(std::string_view what) const;
};

/// @throws Error what the session cannot be had for
Task<Remote> connect(Call& call);
/// For a transfer of so many bytes, so far as that is known: large ones are spread over several channels.
Task<Remote> connect_for(Call& call, std::optional<std::uint64_t> size);

/// The path for the server: under the connection's directory, unless it is absolute. @throws Error SFTP-PATH
std::string remote_path(const Call& call, std::string_view path);
/// What stands before the last '/', for names beside it: "" or "dir/".
std::string_view folder_of(std::string_view path) noexcept;
std::string_view last_name(std::string_view path) noexcept;

/// The error of a refused write (what is handed over has to live until it is done): a bare "failure" may be a full disk or one that is mounted
/// read-only, which the server knows.
Task<Error> space_error(const Remote& remote, const Refusal& refusal, const std::string& path);
/// The error of a refused rename or making: a bare "failure" may be that something is there.
Task<Error> target_error(const Remote& remote, const Refusal& refusal, const std::string& target);

Task<void> remove_quietly(Call& call, std::shared_ptr<Session> session, std::string path);
/// A file that was made and is of no use any more. Waits for its end where the call still may wait.
Task<void> take_away(const Remote& remote, const std::string& path);

bool is_type(const Attributes& attributes, std::uint32_t type) noexcept;
/// What to send so that a file gets them. Owners first: a change of them takes special bits away.
/// @param now  what it has; needed where only one of user and group is given
std::vector<Attributes> changes(const FileAttributes& wanted, const std::optional<Attributes>& now);
bool needs_present(const FileAttributes& wanted) noexcept;

inline constexpr std::uint32_t k_mode_bits = 07777;

}  // namespace qconn::sftp
