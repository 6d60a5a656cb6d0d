// SPDX-License-Identifier: Apache-2.0
/// What is asked of a library that speaks SSH: the only header between ours and its.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/secret.hpp>
#include <qconn/ssh/ssh_options.hpp>

#include "net/stream.hpp"
#include "net/unique_fd.hpp"

namespace qconn::ssh {

/// What came of a step. `again`: call it once more with the same arguments when the descriptor is ready; nothing else of the transport but pump() and
/// wants_write() meanwhile, unless it says otherwise.
enum class Step : std::uint8_t { done, again, failed };

/// What a log-in attempt came to.
enum class LoginStep : std::uint8_t {
    done,
    again,
    denied,
    partial,  ///< taken, but the server wants another method as well: see methods()
    failed,   ///< the session may have ended: is_open()
};

struct HostKey {
    /// "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"
    std::string type{};
    /// As on the wire (RFC 4253, 6.6).
    std::string blob{};
};

/// A private key in the library's own form. Immutable: any thread.
class PrivateKey {
public:
    virtual ~PrivateKey() = default;
};

/// How a command ended.
struct ExitInfo {
    std::optional<int> status{};
    std::string signal{};
    std::string message{};
    bool core_dumped{false};
};

/// @note One thread at a time, that of its transport, which must live as long.
class TransportChannel {
public:
    virtual ~TransportChannel() = default;

    // In that order; several channels may be under way beside each other.
    virtual Step open_session() = 0;
    virtual Step open_forward(const std::string& host, std::uint16_t port) = 0;
    virtual Step request_environment(const std::string& name, const std::string& value) = 0;
    virtual Step request_command(const std::string& command) = 0;
    virtual Step request_subsystem(const std::string& name) = 0;

    /// Whether read() would give something else than want_read.
    virtual bool is_readable(bool errors) const noexcept = 0;
    virtual bool is_writable() const noexcept = 0;
    virtual net::IoResult::Kind read(bool errors, char* data, std::size_t size, std::size_t& used) = 0;
    virtual net::IoResult::Kind write(std::string_view data, std::size_t& used) = 0;
    virtual bool finish_writing() = 0;
    /// The server has closed it: no further exit info comes.
    virtual bool is_closed() const noexcept = 0;
    virtual const ExitInfo& exit_info() const noexcept = 0;
};

/// One connection over a descriptor that it owns. Never blocks, but where it says so.
/// @note One thread at a time.
class Transport {
public:
    virtual ~Transport() = default;

    /// Banner and key exchange.
    virtual Step handshake() = 0;
    virtual HostKey host_key() = 0;
    /// Empty before it came.
    virtual std::string banner() const = 0;
    /// Without host key, user and log-in, which others know.
    virtual SshSessionInfo info() const = 0;

    virtual LoginStep login_none() = 0;
    /// What the server would take, after a denied or partial attempt.
    virtual std::vector<std::string> methods() = 0;
    virtual LoginStep login_key(const PrivateKey& key) = 0;
    virtual bool has_agent() = 0;
    /// Why it cannot be reached; empty where it can. Not on a loop.
    virtual std::string agent_problem() = 0;
    /// Asks the agent, and may wait for it: not on a loop.
    virtual LoginStep login_agent_blocking() = 0;
    virtual LoginStep login_password(const Secret& password) = 0;
    /// Questions whose answer is not shown are answered with the password.
    virtual LoginStep login_interactive(const Secret& password) = 0;

    /// Once it is logged in: carries bytes both ways until nothing more comes, or `rounds` is used up; `again` then means: nothing to do until the
    /// descriptor is ready, `done`: there may be more.
    virtual Step pump(int rounds) = 0;
    virtual bool wants_write() const noexcept = 0;
    virtual std::unique_ptr<TransportChannel> make_channel() = 0;
    virtual void send_keepalive() = 0;
    virtual std::uint64_t bytes_received() const noexcept = 0;

    virtual bool is_open() const noexcept = 0;
    /// What went wrong last, in the words of the peer or the library.
    virtual std::string problem() const = 0;
};

/// A library.
class TransportKind {
public:
    virtual ~TransportKind() = default;
    virtual std::string name() const = 0;
    /// @param host_key_types  in order of preference
    /// @throws Error SSH-OPTION-ERROR where an algorithm is not known
    virtual std::unique_ptr<Transport> make(net::UniqueFd fd, const SshOptions& options, const std::string& user,
                                            const std::vector<std::string>& host_key_types) const = 0;
    /// Null where it is no key, or not with that pass-phrase. May take a while: keys are guarded by slow functions.
    virtual std::shared_ptr<const PrivateKey> read_key(const Secret& text, const Secret& pass_phrase) const = 0;
};

const TransportKind& libssh_kind();

}  // namespace qconn::ssh
