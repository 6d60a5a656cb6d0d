// SPDX-License-Identifier: Apache-2.0
/// Runs libcurl transfers so that each can be cancelled at once: on the calling thread, or on a loop of the runtime.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>

#include "net/curl_proxy.hpp"
#include "net/resolver.hpp"
#include "net/socket.hpp"
#include "net/tls_context.hpp"

namespace qconn::net {

class CurlTransfer;
struct CrlWanted;

/// Why a driver ended a transfer before libcurl did.
enum class CurlStop : std::uint8_t {
    none,
    cancelled,
    deadline,
    connect_timeout,
    silence,  ///< nothing came from the peer, and nothing was taken by it, for the time allowed
};

/// The sockets of one multi handle, kept connections included, as libcurl does not tell which one a transfer uses before it is over; and when they
/// were last heard. That is one look at the clock in each turn of libcurl, not one for each line of each answer: the coarse clock of the system,
/// which costs as little, stands still for as long as the virtual CPU that keeps it.
/// @note One thread at a time: that of the multi handle, which must go before it.
class CurlSockets {
public:
    void opened(curl_socket_t fd);
    /// Before it is.
    void closed(curl_socket_t fd) noexcept;
    bool has(curl_socket_t fd) const noexcept;
    /// Told of each that is about to be closed.
    void on_close(UniqueFunction<void(curl_socket_t fd)> told) { told_ = std::move(told); }
    /// The one with that local port, which is 0 for a UNIX socket; CURL_SOCKET_BAD where there is none.
    curl_socket_t with_port(int port) const noexcept;

    /// libcurl is about to be given the time to read.
    void turn_begins() noexcept { heard_.reset(); }
    /// When something first came in this turn.
    Clock::time_point heard() noexcept { return heard_ ? *heard_ : heard_.emplace(Clock::now()); }

private:
    std::vector<curl_socket_t> open_;
    UniqueFunction<void(curl_socket_t)> told_;
    std::optional<Clock::time_point> heard_;
};

/// Names of which one multi handle keeps addresses that nobody could connect to.
class CurlNames {
public:
    void add(std::string_view host, std::uint16_t port);

private:
    friend class CurlHandle;
    std::vector<std::string> entries_;
};

/// An easy handle with what every one of ours has set: no signals, no proxy or credentials from the environment, sockets of our own making, names
/// looked up by the runtime's resolver. Used again and again by one lane or one loop.
class CurlHandle {
public:
    /// What a family remembers of the options it set, so that it sets none twice.
    struct Memory {
        virtual ~Memory();
    };

    /// @param sockets  of the multi handle that it is used with
    explicit CurlHandle(CurlSockets& sockets);
    ~CurlHandle();
    CurlHandle(const CurlHandle&) = delete;
    CurlHandle& operator=(const CurlHandle&) = delete;

    CURL* easy() const noexcept { return easy_; }
    /// Makes libcurl report the progress of an upload, for bodies that may take longer than the allowed silence.
    void watch_upload(bool on);

    std::unique_ptr<Memory> memory;

private:
    friend class CurlDriver;
    struct Callbacks;

    /// Gives libcurl the addresses that were found for its transfer. False where there are none.
    bool hand_over();
    /// Makes libcurl forget the addresses that it keeps of these.
    void leave_out(CurlNames& names);

    CurlSockets& sockets_;
    CurlList addresses_;
    CURL* easy_;
    CurlTransfer* transfer_{nullptr};
    Clock::time_point* next_limit_{nullptr};  // the loop's note of the next limit of a transfer that has passed from one to another
    void* run_{nullptr};                      // the loop's record of it
    bool upload_watched_{false};
    char words_[CURL_ERROR_SIZE]{};
};

/// One use of libcurl: a request with its redirects, an upload. Told what happens by whichever driver runs it.
/// @note One thread at a time: the caller's or the loop's.
class CurlTransfer {
public:
    struct End {
        CURLcode code{CURLE_OK};
        CurlStop stop{CurlStop::none};
        /// libcurl's own words, where it has any.
        std::string_view words;
    };

    CurlTransfer() = default;
    CurlTransfer(const CurlTransfer&) = delete;
    CurlTransfer& operator=(const CurlTransfer&) = delete;
    virtual ~CurlTransfer();

    /// Sets the options of the next run.
    virtual void prepare(CurlHandle& handle) = 0;
    /// A run is over. True: prepare and run once more; not heeded when it was stopped.
    virtual bool finished(CurlHandle& handle, const End& end) = 0;
    /// Asynchronous runs only: nothing more follows. Called on the loop's thread, from no other callback.
    virtual void complete() = 0;

    /// A line of a head, with its line end. False ends the transfer.
    virtual bool on_head(std::string_view line) = 0;
    virtual bool on_body(std::string_view bytes) = 0;
    /// A TLS context for a new connection. False ends the transfer.
    virtual bool on_tls(SSL_CTX* context) = 0;
    /// Of a run that failed: lists of revoked certificates without which its handshake could not be finished. They are fetched, and it is run again.
    virtual std::shared_ptr<const CrlWanted> wanted_crls() const { return nullptr; }

protected:
    /// Limits, set before it is run.
    Deadline deadline_{};
    std::chrono::milliseconds connect_timeout_{0};
    std::chrono::milliseconds silence_{0};
    /// The socket carries other transfers too (HTTP/2): bytes on it prove nothing.
    bool shares_socket_{false};
    /// The request may be carried out twice without harm: sent once more, on a new connection, where a kept one is cut before any byte of the answer.
    /// False: a run ends where libcurl would do so, and with CURLE_ABORTED_BY_CALLBACK and nothing sent (is_connected() is false) where the kept
    /// connection turns out to be closed in time; it is then to be run on a new one.
    bool may_repeat_{true};
    /// What is connected to: the host of the URL, or the proxy. Set in prepare; lives as long as the run.
    std::string_view host_;
    std::uint16_t port_{0};
    /// How its sockets are opened; null: SocketOptions' defaults. Lives as long as this.
    const SocketOptions* socket_{nullptr};

    /// A proxy has answered that it wants the log-in, and the run goes on with that: nothing was carried out so far.
    void begin_again() noexcept;

    /// How far the present run has come.
    bool opened_socket() const noexcept { return opened_socket_; }
    bool is_connected() const noexcept { return connected_; }
    /// For a run that was stopped: TCP stood, whatever was still missing above it.
    bool had_transport() const noexcept { return had_transport_; }
    /// errno of taking the local address or port for a socket; 0: that was no trouble.
    int binding_error() const noexcept { return binding_error_; }
    /// Within on_tls(): the first handshake on the newest socket, which is that with a proxy under TLS where there is one.
    bool is_outermost_tls() const noexcept { return tls_layers_ == 1; }
    /// Of the look-up of host_, where a run needed one: its outcome and how long it took.
    const Resolved& resolved() const noexcept { return resolved_; }
    Clock::duration lookup_time() const noexcept { return lookup_time_; }

private:
    friend class CurlDriver;
    friend class CurlHandle;

    enum class Name : std::uint8_t { not_asked, wanted, looked_up };

    const SocketOptions& socket_options() const noexcept { return socket_ != nullptr ? *socket_ : socket_defaults(); }
    void begin_run() noexcept;
    /// Whether nothing answered at the addresses of its host.
    bool has_missed(const End& end) const noexcept;
    void look_up_begins() noexcept;
    void look_up_ends(Resolved resolved) noexcept;
    void heard(CurlSockets& sockets) noexcept;
    Clock::time_point next_limit() const noexcept;
    CurlStop judge(const CurlSockets& sockets, Clock::time_point now) noexcept;
    /// Before libcurl closes what it opened.
    void look_at_sockets() noexcept;

    Clock::time_point since_{};  // start of the connecting, then the last sign of the peer
    curl_off_t uploaded_{0};
    bool opened_socket_{false};
    bool connected_{false};
    bool had_transport_{false};
    Name name_{Name::not_asked};
    Resolved resolved_;
    Clock::time_point lookup_began_{};
    Clock::duration lookup_time_{0};
    int local_port_{0};  // once connected
    int binding_error_{0};
    int tls_layers_{0};
    std::array<curl_socket_t, 8> sockets_{};  // the first ones of this run: libcurl tries the addresses of a name
    std::size_t socket_count_{0};
};

/// The transfers of one client. Blocking ones each have a lane of their own: a multi handle with its connection, polled by the caller; lanes are kept
/// for further calls. Asynchronous ones share a multi handle on a loop of the runtime, made at the first of them.
/// @note Thread-safe.
class CurlDriver {
public:
    /// @param max_idle  connections kept by either kind
    CurlDriver(Runtime runtime, std::size_t max_idle);
    /// close()
    ~CurlDriver();
    CurlDriver(const CurlDriver&) = delete;
    CurlDriver& operator=(const CurlDriver&) = delete;

    /// Runs it on this thread until finished() wants no more.
    void run(CurlTransfer& transfer);
    /// Runs it on the loop. The transfer is released on that thread, after complete().
    Operation start(std::shared_ptr<CurlTransfer> transfer);
    /// Stops everything; later calls are stopped at once. Returns when no blocking call is under way any more, which needs no peer.
    void close() noexcept;

private:
    struct Lane;
    struct Arrival;
    /// Waits for what a loop brings.
    static CurlStop wait(Lane& lane, CurlTransfer& transfer, const Arrival& arrival);
    /// Waits for the addresses of its host.
    CurlStop look_up(Lane& lane, CurlTransfer& transfer);
    /// False: they cannot be asked for.
    bool fetch_crls(Lane& lane, CurlTransfer& transfer, const CrlWanted& wanted, CurlStop& why);
    class Lanes;
    class Async;
    static void note(const CurlTransfer& transfer, const CurlTransfer::End& end, const Runtime& runtime, CurlNames& missed) noexcept;
    class AsyncOperation;

    Runtime runtime_;
    std::size_t max_idle_;
    std::unique_ptr<Lanes> lanes_;
    struct AsyncHolder;
    std::unique_ptr<AsyncHolder> async_;
};

/// libcurl's global set-up, once for the process; also done by the first CurlHandle.
void curl_global_setup();

}  // namespace qconn::net
