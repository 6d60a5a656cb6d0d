// SPDX-License-Identifier: Apache-2.0
/// A connected socket that never blocks, plain or under TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/tls.hpp>

#include "net/crl.hpp"
#include "net/fd_watch.hpp"
#include "net/tls_context.hpp"
#include "net/unique_fd.hpp"

struct bio_st;

namespace qconn::net {

class Loop;

/// What one read or write came to.
struct IoResult {
    enum class Kind : std::uint8_t {
        done,       ///< `size` bytes, at least one
        want_read,  ///< nothing now: wait until it can be read (under TLS a write may want that too)
        want_write,
        closed,  ///< the peer has closed its side, orderly
        failed,  ///< `error`
    };
    Kind kind{Kind::done};
    std::size_t size{0};
    std::optional<Error> error{};
};

/// A connection to a peer. Reads and writes return at once; waiting is for readiness on the loop. No SIGPIPE comes of it.
/// @note One thread at a time: the loop's. Destroying it closes the socket.
class Stream {
public:
    /// @param peer   the address for messages: "127.0.0.1:443", "[::1]:80", a socket's path
    /// @param label  the connection for messages; may be empty
    Stream(Loop& loop, UniqueFd fd, std::string peer, std::string label);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream();

    IoResult read_some(char* data, std::size_t size);
    IoResult write_some(std::string_view data);

    /// Gives bytes back that were read too far; the next read (or the handshake) gets them first.
    void unread(std::string_view data);

    /// Whether there may be something to read although the socket is not readable: given back, or kept by TLS.
    bool may_hold_input() const noexcept { return ssl_ != nullptr || !unread_.empty(); }

    /// Puts TLS over it; handshake() is called until it is done.
    /// @throws Error SOCKET-SSL-ERROR (reason local) where OpenSSL has no memory
    void start_tls(std::shared_ptr<const TlsContext> context, TlsPeer peer);
    /// done, want_read, want_write or failed. Where lists of revoked certificates are to be fetched first, that is a want_read whose wait() is for
    /// them.
    IoResult handshake();
    /// The TLS handshake just done was with a proxy: what follows goes through it, and may have TLS of its own. has_tls() and tls_info() are about
    /// that.
    void enter_tunnel() noexcept;
    bool has_tls() const noexcept;
    /// Empty without TLS.
    std::optional<TlsInfo> tls_info() const;
    /// For measurements and tests; null without TLS.
    SSL* ssl() const noexcept;

    /// Calls back once when it is worth trying again; never from inside this call. One wait for each side at a time.
    void wait(Ready side, UniqueFunction<void()> callback);
    void cancel_waits() noexcept;

    /// Calls back once when the idle stream gets something to read, is closed or breaks: it is of no use any more, or at least not idle. Ended by
    /// unwatch(), by any read or write, and by destruction.
    void watch_idle(UniqueFunction<void()> callback);
    void unwatch() noexcept;
    /// Whether it looks unused and open right now: nothing to read, not closed, no error.
    bool looks_idle();

    /// Nothing more is written: says so under TLS, and with a FIN. What the peer sends can still be read. done or want_write.
    IoResult finish_writing() noexcept;
    /// From now on another loop's: called on the thread of the loop that it was on, with no wait under way.
    void move_to(Loop& loop) noexcept;

    /// Closes with RST instead of FIN: leaves nothing behind at either end. Under TLS nothing is said before.
    void abort() noexcept;
    /// Closes; under TLS says so where that needs no waiting.
    void close() noexcept;

    const std::string& peer() const noexcept { return peer_; }
    const std::string& label() const noexcept { return label_; }
    Loop& loop() const noexcept { return *loop_; }
    int fd() const noexcept { return fd_.get(); }

    /// What lies below the TLS whose BIO it is: the socket, or the tunnel through a proxy under TLS. -1 with errno as usual; EAGAIN then is for
    /// blocked_on().
    long receive(const bio_st* bio, char* data, std::size_t size) noexcept;
    long send(const bio_st* bio, const char* data, std::size_t size) noexcept;
    Ready blocked_on() const noexcept { return blocked_on_; }

private:
    FdWatch& watch();
    bool is_below_tunnel(const bio_st* bio) const noexcept;
    long receive_raw(char* data, std::size_t size) noexcept;
    long send_raw(const char* data, std::size_t size) noexcept;
    long tunnel_outcome(int result, std::size_t size) noexcept;
    IoResult blocked() const noexcept;
    IoResult failure(int system_error) const;
    IoResult tls_outcome(int result, int system_error);
    void on_idle_event();

    std::shared_ptr<Loop> loop_;  // first, so that it goes last
    UniqueFd fd_;
    std::unique_ptr<FdWatch> watch_;  // made by the first wait; goes before fd_ is closed
    std::string peer_;
    std::string label_;
    std::string target_;  // of the TLS handshake, for messages
    std::shared_ptr<const TlsContext> tls_;
    std::shared_ptr<const TlsContext> tunnel_tls_;
    SSL* tunnel_{nullptr};  // with a proxy, below everything else
    Ready blocked_on_{Ready::read};
    SSL* ssl_{nullptr};
    std::optional<CrlWanted> wanted_;  // the handshake goes on when these were asked for
    std::unique_ptr<CrlQuery> crl_query_;
    bool tls_stands_{false};  // the handshake is over and nothing broke since
    std::string unread_;
    UniqueFunction<void()> on_idle_;
};

}  // namespace qconn::net
