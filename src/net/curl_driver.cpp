// SPDX-License-Identifier: Apache-2.0
#include "net/curl_driver.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/crl.hpp"
#include "net/fd_watch.hpp"
#include "net/loop_impl.hpp"
#include "net/runtime_impl.hpp"
#include "net/timer.hpp"
#include "net/unique_fd.hpp"

namespace qconn::net {

namespace {

using std::chrono::milliseconds;

/// libcurl opens the pair behind curl_multi_wakeup without CLOEXEC and does not tell its numbers: wake it and look for the two ends that show it.
void keep_from_children(CURLM* multi, int first) noexcept {
    constexpr int k_window = 64;
    if (curl_multi_wakeup(multi) != CURLM_OK) return;
    for (int fd = first; fd < first + k_window; ++fd) {
        const int flags = ::fcntl(fd, F_GETFD);
        if (flags < 0 || (flags & FD_CLOEXEC) != 0) continue;
        int domain = 0;
        socklen_t size = sizeof domain;
        if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) continue;
        int waiting = 0;
        int unread = 0;
        if (::ioctl(fd, FIONREAD, &waiting) != 0 || ::ioctl(fd, SIOCOUTQ, &unread) != 0) continue;
        if (waiting == 1 || unread > 0) ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    }
    int ready = 0;
    curl_multi_poll(multi, nullptr, 0, 0, &ready);
}

CURLM* make_multi(std::size_t kept_connections) {
    static std::mutex mutex;
    const std::lock_guard lock{mutex};
    const int first = UniqueFd{::eventfd(0, EFD_CLOEXEC)}.get();
    CURLM* multi = curl_multi_init();
    if (multi == nullptr) throw std::bad_alloc{};
    if (first >= 0) keep_from_children(multi, first);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(std::max<std::size_t>(kept_connections, 1)));
    return multi;
}

struct MultiDeleter {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
using Multi = std::unique_ptr<CURLM, MultiDeleter>;

/// Hosts that libcurl asks nobody for, and what it has to put into another alphabet first.
bool is_known_to_libcurl(std::string_view host, AddressFamily family) {
    const bool prefers = family == AddressFamily::prefer_ipv4 || family == AddressFamily::prefer_ipv6;
    const bool is_local = !prefers && (host == "localhost" || host.ends_with(".localhost"));
    const bool is_ascii = std::none_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) > 127; });
    return host.empty() || is_local || !is_ascii || Address::literal(host);
}

/// A flag that is up as long as this stands, and then as it was before.
class Raised {
public:
    explicit Raised(bool& flag) noexcept : flag_{flag}, before_{std::exchange(flag, true)} {}
    ~Raised() { flag_ = before_; }
    Raised(const Raised&) = delete;
    Raised& operator=(const Raised&) = delete;

private:
    bool& flag_;
    bool before_;
};

/// What curl_multi_poll takes; 0 where the limit has passed.
int poll_time(Clock::time_point limit) noexcept {
    constexpr int k_longest = 60'000;
    if (limit == Clock::time_point::max()) return k_longest;
    const auto left = std::chrono::ceil<milliseconds>(limit - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, k_longest));
}

bool has_input(curl_socket_t fd) noexcept {
    pollfd one{fd, POLLIN, 0};
    return fd != CURL_SOCKET_BAD && ::poll(&one, 1, 0) == 1;
}

}  // namespace

void CurlSockets::opened(curl_socket_t fd) {
    closed(fd);
    open_.push_back(fd);
}

void CurlSockets::closed(curl_socket_t fd) noexcept {
    if (std::erase(open_, fd) != 0 && told_) told_(fd);
}

bool CurlSockets::has(curl_socket_t fd) const noexcept { return std::find(open_.begin(), open_.end(), fd) != open_.end(); }

curl_socket_t CurlSockets::with_port(int port) const noexcept {
    const auto found = std::find_if(open_.begin(), open_.end(), [port](curl_socket_t fd) {
        sockaddr_storage name{};
        socklen_t size = sizeof name;
        if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return false;
        switch (name.ss_family) {
            case AF_INET: return ntohs(reinterpret_cast<const sockaddr_in&>(name).sin_port) == port;
            case AF_INET6: return ntohs(reinterpret_cast<const sockaddr_in6&>(name).sin6_port) == port;
            default: return port == 0;
        }
    });
    return found == open_.end() ? CURL_SOCKET_BAD : *found;
}

void curl_global_setup() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw make_error(Errc::system, "libcurl cannot be set up in this process");
    });
}

CurlHandle::Memory::~Memory() = default;
CurlTransfer::~CurlTransfer() = default;

struct CurlHandle::Callbacks {
    /// libcurl finds no connection to use and no address at hand. The run is broken off there, before anything was sent, and begun again with the
    /// answer.
    static int name_wanted(void*, void*, void* self) noexcept {
        CurlTransfer* transfer = static_cast<CurlHandle*>(self)->transfer_;
        if (transfer->connected_ && !transfer->may_repeat_) return 1;
        if (transfer->name_ == CurlTransfer::Name::looked_up || is_known_to_libcurl(transfer->host_, transfer->socket_options().family)) return 0;
        if (std::exchange(transfer->connected_, false)) transfer->since_ = Clock::now();  // a kept connection was cut
        transfer->name_ = CurlTransfer::Name::wanted;
        note_limits(self);
        return 1;
    }
    static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
        CurlTransfer* transfer = static_cast<CurlHandle*>(self)->transfer_;
        if (transfer->connected_ && !transfer->may_repeat_) return CURL_SOCKET_BAD;
        transfer->opened_socket_ = true;
        if (transfer->connected_) {  // libcurl replaces a kept connection that was cut
            transfer->connected_ = false;
            transfer->since_ = Clock::now();
            note_limits(self);
        }
        transfer->tls_layers_ = 0;
        const SocketOptions& options = transfer->socket_options();
        OpenedSocket opened = net::open_socket(address->family, address->socktype, address->protocol, options);
        if (opened.binding) transfer->binding_error_ = opened.error;
        if (!opened.fd) return CURL_SOCKET_BAD;
        const curl_socket_t fd = opened.fd.get();
        try {
            static_cast<CurlHandle*>(self)->sockets_.opened(fd);
        } catch (...) { return CURL_SOCKET_BAD; }
        if (transfer->socket_count_ < transfer->sockets_.size()) transfer->sockets_[transfer->socket_count_++] = fd;
        static_cast<void>(opened.fd.release());
        return fd;
    }
    static int close_socket(void* sockets, curl_socket_t fd) noexcept {
        static_cast<CurlSockets*>(sockets)->closed(fd);
        return ::close(fd);
    }
    static int request_begins(void* self, char*, char*, int, int local_port) noexcept {
        CurlTransfer* transfer = static_cast<CurlHandle*>(self)->transfer_;
        if (!transfer->may_repeat_) {
            if (transfer->connected_) return CURL_PREREQFUNC_ABORT;  // once more, on another kept connection
            // libcurl has looked for the end of the stream. The end of TLS comes as a message before it, which libcurl takes for a sign of life.
            const bool kept = !transfer->opened_socket_ && !transfer->shares_socket_;
            if (kept && has_input(static_cast<CurlHandle*>(self)->sockets_.with_port(local_port))) return CURL_PREREQFUNC_ABORT;
        }
        transfer->connected_ = true;
        transfer->local_port_ = local_port;
        transfer->since_ = Clock::now();
        note_limits(self);
        return CURL_PREREQFUNC_OK;
    }
    static int progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) noexcept {
        CurlTransfer* transfer = static_cast<CurlHandle*>(self)->transfer_;
        if (transfer->uploaded_ != sent) {
            transfer->uploaded_ = sent;
            transfer->since_ = Clock::now();
        }
        return 0;
    }
    static std::size_t head(char* text, std::size_t, std::size_t size, void* self) noexcept {
        const auto* handle = static_cast<CurlHandle*>(self);
        CurlTransfer* transfer = handle->transfer_;
        transfer->heard(handle->sockets_);
        try {
            return transfer->on_head({text, size}) ? size : 0;
        } catch (...) { return 0; }
    }
    static std::size_t body(char* text, std::size_t, std::size_t size, void* self) noexcept {
        const auto* handle = static_cast<CurlHandle*>(self);
        CurlTransfer* transfer = handle->transfer_;
        transfer->heard(handle->sockets_);
        try {
            return transfer->on_body({text, size}) ? size : size + 1;
        } catch (...) { return size + 1; }
    }
    static CURLcode tls(CURL*, void* context, void* self) noexcept {
        CurlTransfer* transfer = static_cast<CurlHandle*>(self)->transfer_;
        ++transfer->tls_layers_;
        try {
            return transfer->on_tls(static_cast<SSL_CTX*>(context)) ? CURLE_OK : CURLE_ABORTED_BY_CALLBACK;
        } catch (...) { return CURLE_ABORTED_BY_CALLBACK; }
    }
    static void note_limits(void* self) noexcept {
        const auto* handle = static_cast<CurlHandle*>(self);
        if (handle->next_limit_ != nullptr) *handle->next_limit_ = std::min(*handle->next_limit_, handle->transfer_->next_limit());
    }
};

CurlHandle::CurlHandle(CurlSockets& sockets) : sockets_{sockets} {
    curl_global_setup();
    easy_ = curl_easy_init();
    if (easy_ == nullptr) throw std::bad_alloc{};
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, words_);
    curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
    curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");  // none from the environment
    curl_easy_setopt(easy_, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(easy_, CURLOPT_RESOLVER_START_FUNCTION, &Callbacks::name_wanted);
    curl_easy_setopt(easy_, CURLOPT_RESOLVER_START_DATA, this);
    curl_easy_setopt(easy_, CURLOPT_DNS_CACHE_TIMEOUT, static_cast<long>(Resolver::k_cache_time.count()));
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Callbacks::open_socket);
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETFUNCTION, &Callbacks::close_socket);
    curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETDATA, &sockets);  // a connection may outlive the handle
    curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &Callbacks::request_begins);
    curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
    curl_easy_setopt(easy_, CURLOPT_XFERINFOFUNCTION, &Callbacks::progress);
    curl_easy_setopt(easy_, CURLOPT_XFERINFODATA, this);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Callbacks::head);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Callbacks::body);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SSL_CTX_FUNCTION, &Callbacks::tls);
    curl_easy_setopt(easy_, CURLOPT_SSL_CTX_DATA, this);
    // TlsContext::apply installs our own verification; libcurl would load its authorities for each connection only to be overruled.
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy_, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy_, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy_, CURLOPT_PROXY_CAINFO, static_cast<char*>(nullptr));
    curl_easy_setopt(easy_, CURLOPT_PROXY_CAPATH, static_cast<char*>(nullptr));
    curl_easy_setopt(easy_, CURLOPT_CAINFO, static_cast<char*>(nullptr));
    curl_easy_setopt(easy_, CURLOPT_CAPATH, static_cast<char*>(nullptr));
}

CurlHandle::~CurlHandle() { curl_easy_cleanup(easy_); }

bool CurlHandle::hand_over() {
    const CurlTransfer& transfer = *transfer_;
    if (!transfer.resolved_.addresses) return false;
    std::string list;
    const auto addresses_to_try = chosen(*transfer.resolved_.addresses, transfer.socket_options().family);
    if (addresses_to_try.empty()) return false;
    for (const Address& address : addresses_to_try) {
        const std::string text = address.to_string();
        if (text.find('%') != text.npos) continue;  // libcurl takes no scope here
        list.append(list.empty() ? "" : ",").append(text, 0, text.rfind(':'));
    }
    // Without an entry libcurl asks for itself.
    const std::string entry = "+" + std::string{transfer.host_} + ":" + std::to_string(transfer.port_) + ":" + list;
    CurlList addresses{list.empty() ? nullptr : curl_slist_append(nullptr, entry.c_str())};
    curl_easy_setopt(easy_, CURLOPT_RESOLVE, addresses.get());
    addresses_ = std::move(addresses);
    return true;
}

void CurlNames::add(std::string_view host, std::uint16_t port) {
    std::string entry = "-" + std::string{host} + ":" + std::to_string(port);
    if (std::find(entries_.begin(), entries_.end(), entry) == entries_.end()) entries_.push_back(std::move(entry));
}

void CurlHandle::leave_out(CurlNames& names) {
    if (names.entries_.empty()) return;
    CurlList list;
    for (const std::string& entry : names.entries_) {
        curl_slist* longer = curl_slist_append(list.get(), entry.c_str());
        if (longer == nullptr) throw std::bad_alloc{};
        static_cast<void>(list.release());
        list.reset(longer);
    }
    curl_easy_setopt(easy_, CURLOPT_RESOLVE, list.get());
    addresses_ = std::move(list);
    names.entries_.clear();
}

void CurlHandle::watch_upload(bool on) {
    if (on == upload_watched_) return;
    upload_watched_ = on;
    curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, on ? 0L : 1L);
}

void CurlTransfer::begin_run() noexcept {
    since_ = Clock::now();
    uploaded_ = 0;
    opened_socket_ = false;
    connected_ = false;
    had_transport_ = false;
    binding_error_ = 0;
    tls_layers_ = 0;
    socket_count_ = 0;
    name_ = Name::not_asked;
    resolved_ = {};
    lookup_time_ = {};
}

void CurlTransfer::begin_again() noexcept {
    connected_ = false;
    since_ = Clock::now();
}

bool CurlTransfer::has_missed(const End& end) const noexcept {
    if (host_.empty() || !opened_socket_ || connected_ || had_transport_) return false;
    return end.code == CURLE_COULDNT_CONNECT || end.stop == CurlStop::connect_timeout || end.stop == CurlStop::deadline;
}

void CurlTransfer::look_up_begins() noexcept { lookup_began_ = Clock::now(); }

void CurlTransfer::look_up_ends(Resolved resolved) noexcept {
    name_ = Name::looked_up;
    resolved_ = std::move(resolved);
    lookup_time_ = Clock::now() - lookup_began_;
}

void CurlTransfer::look_at_sockets() noexcept {
    for (std::size_t i = 0; i < socket_count_; ++i) {
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        if (::getpeername(sockets_[i], reinterpret_cast<sockaddr*>(&peer), &size) == 0) had_transport_ = true;
    }
}

void CurlTransfer::heard(CurlSockets& sockets) noexcept {
    if (silence_.count() != 0) since_ = sockets.heard();
}

Clock::time_point CurlTransfer::next_limit() const noexcept {
    Clock::time_point when = deadline_.when();
    const milliseconds limit = connected_ ? silence_ : connect_timeout_;
    if (limit.count() != 0) when = std::min(when, since_ + limit);
    return when;
}

CurlStop CurlTransfer::judge(const CurlSockets& sockets, Clock::time_point now) noexcept {
    if (deadline_.when() <= now) return CurlStop::deadline;
    if (!connected_) return connect_timeout_.count() != 0 && since_ + connect_timeout_ <= now ? CurlStop::connect_timeout : CurlStop::none;
    if (silence_.count() == 0 || since_ + silence_ > now) return CurlStop::none;
    // A head that comes byte by byte is only told line by line: the system knows when the last bytes came.
    if (const curl_socket_t fd = shares_socket_ ? CURL_SOCKET_BAD : sockets.with_port(local_port_); fd != CURL_SOCKET_BAD) {
        tcp_info info{};
        socklen_t size = sizeof info;
        if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
            const Clock::time_point last = now - milliseconds{info.tcpi_last_data_recv};
            if (last > since_) since_ = last;
        }
    }
    return since_ + silence_ <= now ? CurlStop::silence : CurlStop::none;
}

void CurlDriver::note(const CurlTransfer& transfer, const CurlTransfer::End& end, const Runtime& runtime, CurlNames& missed) noexcept {
    if (!transfer.has_missed(end)) return;
    try {
        runtime.impl().resolver().forget(transfer.host_);
        missed.add(transfer.host_, transfer.port_);
    } catch (...) {  // without memory the addresses stay as long as others
    }
}

// ---- blocking ----------------------------------------------------------------------------------------------------------------------------------

struct CurlDriver::Lane {
    explicit Lane(std::size_t kept) : multi{make_multi(kept)} {}

    CurlSockets sockets;
    CurlNames missed;
    CurlHandle handle{sockets};
    Multi multi;  // goes first: it closes the connections
    std::atomic<bool> stop{false};
};

class CurlDriver::Lanes {
public:
    /// Null once it is closed.
    Lane* take() {
        {
            const std::lock_guard lock{mutex_};
            if (closed_) return nullptr;
            if (!idle_.empty()) {
                busy_.push_back(std::move(idle_.back()));
                idle_.pop_back();
                return busy_.back().get();
            }
            ++making_;
        }
        std::unique_ptr<Lane> lane;
        try {
            curl_global_setup();
            lane = std::make_unique<Lane>(1);
        } catch (...) {
            left(nullptr);
            throw;
        }
        const std::lock_guard lock{mutex_};
        --making_;
        if (closed_) lane->stop = true;
        busy_.push_back(std::move(lane));
        return busy_.back().get();
    }

    void give(Lane* lane, std::size_t max_idle) noexcept {
        std::unique_ptr<Lane> spare;  // destroyed without the lock
        {
            const std::lock_guard lock{mutex_};
            const auto it = std::find_if(busy_.begin(), busy_.end(), [lane](const auto& one) { return one.get() == lane; });
            spare = std::move(*it);
            *it = std::move(busy_.back());
            busy_.pop_back();
            if (!closed_ && idle_.size() < max_idle) {
                idle_.push_back(std::move(spare));
                return;
            }
            ++making_;  // keeps close() waiting until its descriptors are gone
        }
        spare.reset();
        left(nullptr);
    }

    void close() noexcept {
        std::vector<std::unique_ptr<Lane>> idle;
        {
            std::unique_lock lock{mutex_};
            closed_ = true;
            idle.swap(idle_);
            for (const auto& lane : busy_) {
                lane->stop = true;
                curl_multi_wakeup(lane->multi.get());
            }
            empty_.wait(lock, [this] { return busy_.empty() && making_ == 0; });
        }
    }

private:
    void left(Lane*) noexcept {
        const std::lock_guard lock{mutex_};
        --making_;
        empty_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable empty_;
    std::vector<std::unique_ptr<Lane>> idle_;
    std::vector<std::unique_ptr<Lane>> busy_;
    std::size_t making_{0};  // lanes that are being made or destroyed outside the lock
    bool closed_{false};
};

void CurlDriver::run(CurlTransfer& transfer) {
    class Borrowed {
    public:
        explicit Borrowed(CurlDriver& driver) : driver_{driver}, lane{driver.lanes_->take()} {}
        Borrowed(const Borrowed&) = delete;
        Borrowed& operator=(const Borrowed&) = delete;
        ~Borrowed() {
            if (lane == nullptr) return;
            lane->handle.transfer_ = nullptr;
            driver_.lanes_->give(lane, driver_.max_idle_);
        }

    private:
        CurlDriver& driver_;

    public:
        Lane* lane;
    };

    const Borrowed borrowed{*this};
    Lane* lane = borrowed.lane;
    if (lane == nullptr) throw make_error(Errc::cancelled, "the client was closed");
    CurlHandle& handle = lane->handle;
    CURLM* multi = lane->multi.get();
    handle.transfer_ = &transfer;
    bool anew = true;
    while (true) {
        if (anew) {
            transfer.begin_run();
            handle.words_[0] = '\0';
            transfer.prepare(handle);
            handle.leave_out(lane->missed);
        }
        CurlTransfer::End end;
        if (curl_multi_add_handle(multi, handle.easy_) != CURLM_OK) throw std::bad_alloc{};
        int running = 1;
        while (true) {
            lane->sockets.turn_begins();
            if (curl_multi_perform(multi, &running) != CURLM_OK) {
                end.code = CURLE_FAILED_INIT;
                break;
            }
            if (running == 0) break;
            if (lane->stop.load(std::memory_order_relaxed)) {
                end.stop = CurlStop::cancelled;
                break;
            }
            const int wait = poll_time(transfer.next_limit());
            if (wait == 0) {
                end.stop = transfer.judge(lane->sockets, Clock::now());
                if (end.stop != CurlStop::none) break;
                continue;
            }
            curl_multi_poll(multi, nullptr, 0, wait, nullptr);
        }
        if (running == 0) {
            int left = 0;
            while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
                if (message->msg == CURLMSG_DONE) end.code = message->data.result;
            }
        }
        if (end.stop != CurlStop::none) transfer.look_at_sockets();
        curl_multi_remove_handle(multi, handle.easy_);
        if (end.stop == CurlStop::none && transfer.name_ == CurlTransfer::Name::wanted) {
            end.stop = look_up(*lane, transfer);
            anew = end.stop != CurlStop::none || !handle.hand_over();
            if (!anew) continue;
        }
        if (end.stop == CurlStop::none && end.code != CURLE_OK) {
            if (const auto wanted = transfer.wanted_crls()) {
                anew = fetch_crls(*lane, transfer, *wanted, end.stop);
                if (anew && end.stop == CurlStop::none) continue;
            }
        }
        end.words = handle.words_;
        note(transfer, end, runtime_, lane->missed);
        anew = transfer.finished(handle, end);
        if (!anew || end.stop != CurlStop::none) return;
        if (lane->stop.load(std::memory_order_relaxed)) {
            end = {CURLE_OK, CurlStop::cancelled, {}};
            transfer.begin_run();
            transfer.finished(handle, end);
            return;
        }
    }
}

/// Something that a loop brings to who waits in a lane.
struct CurlDriver::Arrival {
    mutable std::mutex mutex;
    CURLM* waits{nullptr};  // null: nobody any more
    bool came{false};

    template <class Keep>
    void tell(Keep keep) {
        const std::lock_guard lock{mutex};
        if (waits == nullptr) return;
        keep();
        came = true;
        curl_multi_wakeup(waits);
    }
    template <class Take>
    void leave(Take take) {
        const std::lock_guard lock{mutex};
        waits = nullptr;
        take();
    }
};

CurlStop CurlDriver::wait(Lane& lane, CurlTransfer& transfer, const Arrival& arrival) {
    CurlStop why = CurlStop::none;
    while (why == CurlStop::none) {
        {
            const std::lock_guard lock{arrival.mutex};
            if (arrival.came) break;
        }
        if (lane.stop.load(std::memory_order_relaxed))
            why = CurlStop::cancelled;
        else if (const int wait = poll_time(transfer.next_limit()); wait == 0)
            why = transfer.judge(lane.sockets, Clock::now());
        else
            curl_multi_poll(lane.multi.get(), nullptr, 0, wait, nullptr);
    }
    return why;
}

CurlStop CurlDriver::look_up(Lane& lane, CurlTransfer& transfer) {
    transfer.look_up_begins();
    if (AddressList addresses = runtime_.impl().resolver().at_hand(transfer.host_)) {
        transfer.look_up_ends({std::move(addresses)});
        return CurlStop::none;
    }
    // The query lives on a loop, the one who waits for it here.
    struct Shared {
        Arrival arrival;
        std::optional<Resolved> answer;          // guarded by it
        std::unique_ptr<Resolver::Query> query;  // the loop's
    };
    const auto shared = std::make_shared<Shared>();
    shared->arrival.waits = lane.multi.get();
    const auto loop = runtime_.impl().loop().shared_from_this();
    loop->post([shared, loop, host = std::string{transfer.host_}, runtime = runtime_] {
        shared->query = runtime.impl().resolver().resolve(
            host, *loop, [shared](Resolved resolved) { shared->arrival.tell([&] { shared->answer = std::move(resolved); }); });
    });
    const CurlStop why = wait(lane, transfer, shared->arrival);
    shared->arrival.leave([&] {
        if (shared->answer) transfer.look_up_ends(std::move(*shared->answer));
    });
    loop->post([shared] { shared->query.reset(); });
    return why;
}

bool CurlDriver::fetch_crls(Lane& lane, CurlTransfer& transfer, const CrlWanted& wanted, CurlStop& why) {
    struct Shared {
        Arrival arrival;
        bool failed{false};               // guarded by it
        std::unique_ptr<CrlQuery> query;  // the loop's
    };
    transfer.begin_again();
    const auto shared = std::make_shared<Shared>();
    shared->arrival.waits = lane.multi.get();
    const auto loop = runtime_.impl().loop().shared_from_this();
    loop->post([shared, loop, wanted, runtime = runtime_] {
        try {
            shared->query = std::make_unique<CrlQuery>(runtime.impl().blocking_pool(), *loop, wanted, [shared] { shared->arrival.tell([] {}); });
        } catch (...) {  // as many checks hang as may
            shared->arrival.tell([&] { shared->failed = true; });
        }
    });
    why = wait(lane, transfer, shared->arrival);
    bool failed = false;
    shared->arrival.leave([&] { failed = shared->failed; });
    loop->post([shared] { shared->query.reset(); });
    return !failed;
}

// ---- asynchronous ------------------------------------------------------------------------------------------------------------------------------

/// Everything on one loop. Used and destroyed on its thread only; kept by what is under way there and by the driver, which lets go of it there.
class CurlDriver::Async : public std::enable_shared_from_this<CurlDriver::Async> {
public:
    struct Run {
        std::shared_ptr<CurlTransfer> transfer;
        std::unique_ptr<CurlHandle> handle;
        std::shared_ptr<AsyncOperation> operation;
        std::unique_ptr<Resolver::Query> query;
        std::unique_ptr<CrlQuery> crl_query;
        bool in_multi{false};
    };

    /// A transfer with its operation, on its way in or out.
    struct Part {
        std::shared_ptr<CurlTransfer> transfer;
        std::shared_ptr<AsyncOperation> operation;
    };

    Async(Runtime runtime, std::size_t max_idle)
        : runtime_{std::move(runtime)}, loop_{runtime_.impl().loop().shared_from_this()}, max_idle_{max_idle} {
        sockets_.on_close([this](curl_socket_t fd) { watches_.erase(fd); });
    }
    Async(const Async&) = delete;
    Async& operator=(const Async&) = delete;
    ~Async() {
        spare_.clear();
        multi_.reset();  // may still tell of sockets, so the watches go last
    }

    Loop& loop() noexcept { return *loop_; }
    /// begin(), but never on the caller's stack.
    void begin_later(std::shared_ptr<CurlTransfer> transfer, std::shared_ptr<AsyncOperation> operation);
    void begin(std::shared_ptr<CurlTransfer> transfer, const std::shared_ptr<AsyncOperation>& operation);
    void cancel(const AsyncOperation& operation);
    void shut_down();

private:
    void open();
    void launch(Run& run);
    void add(Run& run);
    void look_up(Run& run);
    void looked_up(Run& run, Resolved resolved);
    void fetch_crls(Run& run, const CrlWanted& wanted);
    void finish(Run& run, const CurlTransfer::End& how);
    void stop(Run& run, CurlStop why);
    void end(Run& run);
    void complete(Part part);
    void tell();
    void act(curl_socket_t fd, int events);
    void collect();
    void arm_curl_timer();
    void arm_limit_timer(Clock::time_point next);
    void limits_passed();
    /// Kept as long as its socket is open: a connection that is used again costs no call of the system.
    struct Watch {
        std::unique_ptr<FdWatch> fd;
        int wanted{0};  // by libcurl
        int armed{0};
    };
    void watch(curl_socket_t fd, int what);
    void arm(curl_socket_t fd, Watch& one);
    void is_ready(curl_socket_t fd, int side);

    static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept {
        try {
            static_cast<Async*>(self)->watch(fd, what);
            return 0;
        } catch (...) { return -1; }
    }
    static int on_timer(CURLM*, long wait_ms, void* self) noexcept {
        try {
            auto* async = static_cast<Async*>(self);
            if (!async->curl_timer_) return 0;  // it is being destroyed
            async->due_ = wait_ms < 0 ? Clock::time_point::max() : Clock::now() + milliseconds{wait_ms};
            if (!async->in_turn_) async->arm_curl_timer();
            return 0;
        } catch (...) { return -1; }
    }

    Runtime runtime_;
    std::shared_ptr<Loop> loop_;
    std::size_t max_idle_;
    std::unordered_map<curl_socket_t, Watch> watches_;
    std::unordered_map<const AsyncOperation*, std::unique_ptr<Run>> runs_;
    CurlSockets sockets_;  // goes after what uses it
    CurlNames missed_;
    std::vector<std::unique_ptr<CurlHandle>> spare_;
    Multi multi_;
    std::optional<Timer> curl_timer_;
    std::optional<Timer> limit_timer_;
    // Both timers may go off too early, and are armed anew then: that is rarer than their times change.
    Clock::time_point due_{Clock::time_point::max()};  // by libcurl's own timers
    Clock::time_point curl_armed_{Clock::time_point::max()};
    Clock::time_point next_limit_{Clock::time_point::max()};  // of what changed in this turn
    Clock::time_point limit_armed_{Clock::time_point::max()};
    bool in_turn_{false};  // an act() is under way, or follows
    bool in_act_{false};
    bool telling_{false};
    std::deque<Part> ended_;  // within act(): to be told when libcurl has returned
    std::deque<Part> begun_;  // by what was told
    bool closed_{false};
};

class CurlDriver::AsyncOperation final : public Operation::State, public std::enable_shared_from_this<CurlDriver::AsyncOperation> {
public:
    explicit AsyncOperation(std::weak_ptr<Async> async) : async_{std::move(async)} {}
    void cancel() noexcept override {
        if (done_.load()) return;
        std::shared_ptr<Async> async = async_.lock();
        if (!async) return;
        try {
            Loop& loop = async->loop();
            loop.post([async = std::move(async), self = shared_from_this()]() mutable {
                async->cancel(*self);
                async.reset();
            });
        } catch (...) {  // without memory it runs on to its deadline
        }
    }
    bool done() const noexcept override { return done_.load(); }
    void set_done() noexcept { done_.store(true); }

private:
    std::weak_ptr<Async> async_;
    std::atomic<bool> done_{false};
};

void CurlDriver::Async::open() {
    if (multi_) return;
    curl_timer_.emplace(*loop_);
    limit_timer_.emplace(*loop_);
    curl_global_setup();
    multi_.reset(make_multi(max_idle_));
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &Async::on_socket);
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &Async::on_timer);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
}

void CurlDriver::Async::begin(std::shared_ptr<CurlTransfer> transfer, const std::shared_ptr<AsyncOperation>& operation) {
    auto owned = std::make_unique<Run>();
    Run& run = *owned;
    run.transfer = std::move(transfer);
    run.operation = operation;
    runs_.emplace(operation.get(), std::move(owned));
    in_turn_ = true;
    try {
        open();
        if (spare_.empty()) {
            run.handle = std::make_unique<CurlHandle>(sockets_);
        } else {
            run.handle = std::move(spare_.back());
            spare_.pop_back();
        }
        run.handle->run_ = &run;
        run.handle->transfer_ = run.transfer.get();
        run.handle->next_limit_ = &next_limit_;
        if (closed_) {
            in_turn_ = false;
            return stop(run, CurlStop::cancelled);
        }
        launch(run);
    } catch (...) {
        in_turn_ = false;
        if (!run.handle) run.handle = std::make_unique<CurlHandle>(sockets_);
        run.transfer->finished(*run.handle, {CURLE_OUT_OF_MEMORY, CurlStop::none, {}});
        return end(run);
    }
    act(CURL_SOCKET_TIMEOUT, 0);
}

void CurlDriver::Async::launch(Run& run) {
    run.transfer->begin_run();
    run.handle->words_[0] = '\0';
    run.transfer->prepare(*run.handle);
    run.handle->leave_out(missed_);
    add(run);
}

void CurlDriver::Async::add(Run& run) {
    if (curl_multi_add_handle(multi_.get(), run.handle->easy_) != CURLM_OK) throw std::bad_alloc{};
    run.in_multi = true;
    next_limit_ = std::min(next_limit_, run.transfer->next_limit());
}

void CurlDriver::Async::look_up(Run& run) {
    run.transfer->look_up_begins();
    try {
        run.query =
            runtime_.impl().resolver().resolve(run.transfer->host_, *loop_, [this, &run](Resolved resolved) { looked_up(run, std::move(resolved)); });
    } catch (...) { finish(run, {CURLE_OUT_OF_MEMORY, CurlStop::none, {}}); }
}

void CurlDriver::Async::looked_up(Run& run, Resolved resolved) {
    const auto keep = shared_from_this();
    run.query.reset();
    run.transfer->look_up_ends(std::move(resolved));
    bool found = false;
    CURLcode code = CURLE_COULDNT_RESOLVE_HOST;
    in_turn_ = true;
    try {
        found = run.handle->hand_over();
        if (found) add(run);
    } catch (...) {
        found = false;
        code = CURLE_OUT_OF_MEMORY;
    }
    if (!found) finish(run, {code, CurlStop::none, {}});
    act(CURL_SOCKET_TIMEOUT, 0);
}

void CurlDriver::Async::fetch_crls(Run& run, const CrlWanted& wanted) {
    run.transfer->begin_again();
    next_limit_ = std::min(next_limit_, run.transfer->next_limit());
    try {
        run.crl_query = std::make_unique<CrlQuery>(runtime_.impl().blocking_pool(), *loop_, wanted, [this, &run] {
            const auto keep = shared_from_this();
            run.crl_query.reset();
            in_turn_ = true;
            try {
                launch(run);
            } catch (...) { finish(run, {CURLE_OUT_OF_MEMORY, CurlStop::none, {}}); }
            act(CURL_SOCKET_TIMEOUT, 0);
        });
    } catch (...) { finish(run, {CURLE_OUT_OF_MEMORY, CurlStop::none, {}}); }
}

void CurlDriver::Async::stop(Run& run, CurlStop why) {
    if (run.in_multi) {
        run.in_multi = false;
        run.transfer->look_at_sockets();
        curl_multi_remove_handle(multi_.get(), run.handle->easy_);
    } else {
        run.transfer->begin_run();
    }
    const CurlTransfer::End how{CURLE_OK, why, {}};
    note(*run.transfer, how, runtime_, missed_);
    run.transfer->finished(*run.handle, how);
    end(run);
}

void CurlDriver::Async::end(Run& run) {
    run.handle->transfer_ = nullptr;
    run.handle->run_ = nullptr;
    if (!closed_ && spare_.size() < std::max<std::size_t>(max_idle_, 1)) spare_.push_back(std::move(run.handle));
    Part part{std::move(run.transfer), run.operation};
    runs_.erase(part.operation.get());
    if (in_act_) return ended_.push_back(std::move(part));
    loop_->post([keep = shared_from_this(), part = std::move(part)]() mutable {
        keep->complete(std::move(part));
        keep.reset();
    });
}

void CurlDriver::Async::complete(Part part) {
    part.operation->set_done();
    UniqueFunction<void()> call = [&part] { part.transfer->complete(); };
    run_guarded(call, loop_->log());
}

// The user's code runs outside libcurl and with no lock held. What it starts begins right after it, so that memory that has just been given back is
// used again while it is warm (docs/design/0044).
void CurlDriver::Async::tell() {
    constexpr int k_at_once = 64;  // others on the loop have their turn, too
    if (telling_) return;          // further down the stack
    const Raised telling{telling_};
    for (int told = 0;;) {
        if (!begun_.empty()) {  // all of them: what was posted since may be to cancel them
            Part part = std::move(begun_.front());
            begun_.pop_front();
            begin(std::move(part.transfer), part.operation);
        } else if (!ended_.empty() && told++ < k_at_once) {
            Part part = std::move(ended_.front());
            ended_.pop_front();
            complete(std::move(part));
        } else {
            break;
        }
    }
    if (ended_.empty()) return;
    loop_->post([keep = shared_from_this()]() mutable {
        keep->tell();
        keep.reset();
    });
}

void CurlDriver::Async::begin_later(std::shared_ptr<CurlTransfer> transfer, std::shared_ptr<AsyncOperation> operation) {
    if (loop_->on_thread() && telling_) return begun_.push_back({std::move(transfer), std::move(operation)});
    loop_->post([keep = shared_from_this(), transfer = std::move(transfer), operation = std::move(operation)]() mutable {
        keep->begin(std::move(transfer), operation);
        keep.reset();
    });
}

void CurlDriver::Async::cancel(const AsyncOperation& operation) {
    if (const auto it = runs_.find(&operation); it != runs_.end()) stop(*it->second, CurlStop::cancelled);
}

void CurlDriver::Async::shut_down() {
    closed_ = true;
    while (!runs_.empty()) stop(*runs_.begin()->second, CurlStop::cancelled);
    spare_.clear();
    if (limit_timer_) limit_timer_->cancel();
    multi_.reset();
    watches_.clear();
    if (curl_timer_) curl_timer_->cancel();
}

void CurlDriver::Async::act(curl_socket_t fd, int events) {
    if (!multi_) {
        in_turn_ = false;
        return;
    }
    const auto keep = shared_from_this();
    int running = 0;
    in_turn_ = true;
    const bool inside = in_act_;
    {
        const Raised acting{in_act_};
        sockets_.turn_begins();
        curl_multi_socket_action(multi_.get(), fd, events, &running);
        collect();
    }
    in_turn_ = false;
    if (multi_) {
        arm_curl_timer();
        arm_limit_timer(std::exchange(next_limit_, Clock::time_point::max()));
    }
    if (!inside) tell();
}

void CurlDriver::Async::arm_curl_timer() {
    if (due_ >= curl_armed_) return;
    curl_armed_ = due_;
    curl_timer_->arm(due_, [this] {
        curl_armed_ = Clock::time_point::max();
        if (due_ <= Clock::now())
            act(CURL_SOCKET_TIMEOUT, 0);
        else
            arm_curl_timer();
    });
}

void CurlDriver::Async::collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL* easy = message->easy_handle;
        const CURLcode code = message->data.result;
        CurlHandle* handle = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handle);
        Run& run = *static_cast<Run*>(handle->run_);
        curl_multi_remove_handle(multi_.get(), easy);
        run.in_multi = false;
        const auto wanted = code != CURLE_OK ? run.transfer->wanted_crls() : nullptr;
        if (run.transfer->name_ == CurlTransfer::Name::wanted)
            look_up(run);
        else if (wanted)
            fetch_crls(run, *wanted);
        else
            finish(run, {code, CurlStop::none, run.handle->words_});
    }
}

void CurlDriver::Async::finish(Run& run, const CurlTransfer::End& how) {
    note(*run.transfer, how, runtime_, missed_);
    if (!run.transfer->finished(*run.handle, how)) return end(run);
    try {
        launch(run);
    } catch (...) {
        run.transfer->finished(*run.handle, {CURLE_OUT_OF_MEMORY, CurlStop::none, {}});
        end(run);
    }
}

void CurlDriver::Async::arm_limit_timer(Clock::time_point next) {
    if (next >= limit_armed_) return;
    limit_armed_ = next;
    limit_timer_->arm(next, [this] {
        // Sockets that are ready come first: what has arrived in time counts.
        loop_->post([keep = shared_from_this()]() mutable {
            keep->limits_passed();
            keep.reset();
        });
    });
}

void CurlDriver::Async::limits_passed() {
    const Clock::time_point now = Clock::now();
    std::vector<std::pair<const AsyncOperation*, CurlStop>> late;
    for (const auto& [operation, run] : runs_) {
        const CurlStop why = run->transfer->judge(sockets_, now);
        if (why != CurlStop::none) late.emplace_back(operation, why);
    }
    for (const auto& [operation, why] : late) {
        if (const auto it = runs_.find(operation); it != runs_.end()) stop(*it->second, why);
    }
    limit_armed_ = Clock::time_point::max();
    Clock::time_point next = Clock::time_point::max();
    for (const auto& [operation, run] : runs_) next = std::min(next, run->transfer->next_limit());
    if (limit_timer_) arm_limit_timer(next);
}

void CurlDriver::Async::watch(curl_socket_t fd, int what) {
    if (what == CURL_POLL_REMOVE) {
        const auto it = watches_.find(fd);
        if (it == watches_.end()) return;
        if (!sockets_.has(fd)) {  // one of libcurl's own, of whose end nobody tells
            watches_.erase(it);
            return;
        }
        it->second.wanted = 0;
        it->second.armed = 0;
        it->second.fd->cancel();
        return;
    }
    Watch& one = watches_[fd];
    if (!one.fd) one.fd = std::make_unique<FdWatch>(*loop_, fd);
    one.wanted = what;
    arm(fd, one);
}

void CurlDriver::Async::arm(curl_socket_t fd, Watch& one) {
    for (const int side : {CURL_POLL_IN, CURL_POLL_OUT}) {
        const Ready ready = side == CURL_POLL_IN ? Ready::read : Ready::write;
        if ((one.wanted & side) == 0) {
            if ((one.armed & side) != 0) one.fd->cancel(ready);
            one.armed &= ~side;
        } else if ((one.armed & side) == 0) {
            one.armed |= side;
            one.fd->wait(ready, [this, fd, side] { is_ready(fd, side); });
        }
    }
}

void CurlDriver::Async::is_ready(curl_socket_t fd, int side) {
    const auto keep = shared_from_this();
    if (const auto it = watches_.find(fd); it != watches_.end()) it->second.armed &= ~side;
    act(fd, side == CURL_POLL_IN ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
    // libcurl only tells what changes: what it wanted before still holds.
    if (const auto it = watches_.find(fd); it != watches_.end()) arm(fd, it->second);
}

// ---- the whole ---------------------------------------------------------------------------------------------------------------------------------

struct CurlDriver::AsyncHolder {
    std::mutex mutex;
    std::shared_ptr<Async> async;
    bool closed{false};
};

CurlDriver::CurlDriver(Runtime runtime, std::size_t max_idle)
    : runtime_{std::move(runtime)}, max_idle_{max_idle}, lanes_{std::make_unique<Lanes>()}, async_{std::make_unique<AsyncHolder>()} {}

CurlDriver::~CurlDriver() { close(); }

Operation CurlDriver::start(std::shared_ptr<CurlTransfer> transfer) {
    const std::lock_guard lock{async_->mutex};
    if (async_->closed) {
        const auto operation = std::make_shared<AsyncOperation>(std::weak_ptr<Async>{});
        runtime_.impl().loop().post([transfer = std::move(transfer), operation, keep = runtime_]() mutable {
            CurlSockets sockets;
            CurlHandle handle{sockets};
            transfer->finished(handle, {CURLE_OK, CurlStop::cancelled, {}});
            operation->set_done();
            transfer->complete();
            transfer.reset();
        });
        return Operation{operation};
    }
    if (!async_->async) async_->async = std::make_shared<Async>(runtime_, max_idle_);
    const auto operation = std::make_shared<AsyncOperation>(async_->async);
    async_->async->begin_later(std::move(transfer), operation);
    return Operation{operation};
}

void CurlDriver::close() noexcept {
    lanes_->close();
    std::shared_ptr<Async> async;
    {
        const std::lock_guard lock{async_->mutex};
        async_->closed = true;
        async.swap(async_->async);
    }
    if (!async) return;
    Loop& loop = async->loop();
    loop.post([async = std::move(async)]() mutable {
        async->shut_down();
        async.reset();
    });
}

}  // namespace qconn::net
