// SPDX-License-Identifier: Apache-2.0
// Data connections: RFC 959 section 3.2, RFC 2428, RFC 4217 section 7.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <qconn/net/net_error.hpp>

#include "ftp/session.hpp"
#include "net/address.hpp"
#include "net/dial.hpp"
#include "net/local_fault.hpp"
#include "net/runtime_impl.hpp"
#include "net/socket.hpp"

namespace qconn::ftp {
namespace {

using net::IoResult;

/// Of a socket: its own address, or that of its peer.
std::optional<net::Address> address_of(int fd, bool peer) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* const address = reinterpret_cast<sockaddr*>(&storage);
    const int failed = peer ? ::getpeername(fd, address, &size) : ::getsockname(fd, address, &size);
    if (failed != 0) return std::nullopt;
    return net::Address::from(address, size);
}

/// Without port and brackets.
std::string host_of(const net::Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* raw = nullptr;
    if (address.family() == AF_INET)
        raw = &reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr;
    else
        raw = &reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr;
    if (::inet_ntop(address.family(), raw, text.data(), text.size()) == nullptr) return {};
    return text.data();
}

std::uint16_t port_of(const net::Address& address) {
    return ntohs(address.family() == AF_INET ? reinterpret_cast<const sockaddr_in*>(address.data())->sin_port
                                             : reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_port);
}

/// "127,0,0,1,200,13".
std::string six_numbers(std::string host, std::uint16_t port) {
    for (char& c : host) {
        if (c == '.') c = ',';
    }
    return host + ',' + std::to_string(port / 256) + ',' + std::to_string(port % 256);
}

Error no_data_connection(const Job& job, std::string_view what, Reason reason) {
    return failure(job, FtpErrc::transfer, reason, "there is no data connection: " + std::string{what}).with_retryable(true);
}

Error system_failure(const Job& job, std::string_view what, int error) {
    return no_data_connection(job, std::string{what} + ": " + std::generic_category().message(error), Reason::local);
}

struct DataDial {
    Baton baton;
    std::optional<Result<std::unique_ptr<net::Stream>>> result;
};

/// Waits on a control connection end with this.
class ControlWatch {
public:
    ControlWatch(net::Stream& stream, Baton& baton) : stream_{stream} {
        stream_.wait(net::Ready::read, [&baton] { baton.notify(); });
    }
    ControlWatch(const ControlWatch&) = delete;
    ControlWatch& operator=(const ControlWatch&) = delete;
    ~ControlWatch() { stream_.cancel_waits(); }

private:
    net::Stream& stream_;
};

}  // namespace

/// Where the server listens is told by its port alone. An address that it names is that of a network behind a router as often as not, and would let
/// it send this machine anywhere: the data connection goes where the control connection goes.
Endpoint Session::data_endpoint() const {
    Endpoint endpoint = settings_->endpoint;
    endpoint.port = data_port_;
    if (!endpoint.proxy || !endpoint.proxy->is_for(endpoint.host, settings_->endpoint.port)) {
        endpoint.proxy = nullptr;
        if (const auto peer = address_of(stream_->fd(), true)) {
            net::Address bare = *peer;
            bare.set_port(0);
            const std::string text = bare.to_string();  // "127.0.0.1:0", "[fe80::1%2]:0"
            endpoint.host = text.front() == '[' ? text.substr(1, text.rfind(']') - 1) : text.substr(0, text.rfind(':'));
        }
    }
    if (endpoint.socket && endpoint.socket->local_port != 0) {  // that one is the control connection's
        SocketOptions socket = *endpoint.socket;
        socket.local_port = 0;
        endpoint.socket = std::make_shared<const SocketOptions>(socket);
    }
    return endpoint;
}

/// After this either data_port_ is where to connect to, or listener_ is connected to.
/// @param asked  EPSV or PASV has been sent already
Task<bool> Session::prepare(Call& call, bool asked) {
    const FtpDataMode mode = settings_->options.data_mode;
    FtpReply got;
    std::string verb;
    while (mode != FtpDataMode::active && !(no_epsv_ && no_pasv_)) {
        verb = no_epsv_ ? "PASV" : "EPSV";
        if (asked)
            got = co_await reply(call, verb);
        else
            got = co_await command(call, verb);
        asked = false;
        if (is_positive(got)) {
            const auto port = no_epsv_ ? pasv_port(got.text()) : epsv_port(got.text());
            if (port) {
                data_port_ = *port;
                co_return true;
            }
            if (no_epsv_) throw no_data_connection(call.job(), "no port is in \"" + shown(got) + '"', Reason::bad_answer);
        } else if (got.code / 100 == 4) {
            throw refusal(call.job(), verb, got, Reason::status, FtpErrc::transfer);
        }
        (no_epsv_ ? no_pasv_ : no_epsv_) = true;
    }
    if (mode == FtpDataMode::passive) throw refusal(call.job(), verb.empty() ? "PASV" : verb, got, Reason::unsupported, FtpErrc::transfer);
    co_await prepare_active(call);
    co_return true;
}

Task<bool> Session::prepare_active(Call& call) {
    const Job& job = call.job();
    if (settings_->endpoint.proxy && settings_->endpoint.proxy->is_for(settings_->endpoint.host, settings_->endpoint.port))
        throw failure(job, FtpErrc::transfer, Reason::unsupported,
                      "through a proxy the server cannot connect to this machine; use passive data connections");
    auto own = address_of(stream_->fd(), false);
    if (!own) throw system_failure(job, "the address of the control connection", errno);
    own->set_port(0);
    UniqueFd listener{::socket(own->family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!listener || ::bind(listener.get(), own->data(), own->size()) != 0 || ::listen(listener.get(), 1) != 0)
        throw system_failure(job, "listening on " + host_of(*own), errno);
    const auto bound = address_of(listener.get(), false);
    if (!bound) throw system_failure(job, "listening on " + host_of(*own), errno);
    const bool v4 = own->family() == AF_INET;
    std::string line;
    if (!no_eprt_) {
        line = "EPRT |" + std::string{v4 ? "1|" : "2|"} + host_of(*own) + '|' + std::to_string(port_of(*bound)) + '|';
        FtpReply got = co_await command(call, std::move(line));
        if (is_positive(got)) {
            listener_ = std::move(listener);
            co_return true;
        }
        if (!v4 || !is_unknown(got)) throw refusal(job, "EPRT", got, Reason::unsupported, FtpErrc::transfer);
        no_eprt_ = true;
    }
    line = "PORT " + six_numbers(host_of(*own), port_of(*bound));
    FtpReply got = co_await command(call, std::move(line));
    if (!is_positive(got)) throw refusal(job, "PORT", got, Reason::unsupported, FtpErrc::transfer);
    listener_ = std::move(listener);
    co_return true;
}

Task<FtpReply> Session::ask_and_prepare(Call& call, std::string line) {
    const std::string verb{verb_of(line)};
    const bool both = settings_->options.data_mode != FtpDataMode::active && !(no_epsv_ && no_pasv_);
    line += both ? (no_epsv_ ? "\r\nPASV\r\n" : "\r\nEPSV\r\n") : "\r\n";
    co_await send(call, std::move(line));
    FtpReply answer = co_await reply(call, verb);
    if (both) co_await prepare(call, true);
    co_return answer;
}

/// Something has come on the control connection while a transfer is under way.
void Session::take_outcome(Call& call, Transfer& transfer, FtpReply got, Reason otherwise) {
    if (is_preliminary(got)) return;
    if (!is_positive(got)) throw refusal(call.job(), transfer.verb, got, otherwise, got.code / 100 == 4 ? FtpErrc::transfer : FtpErrc::failed);
    transfer.outcome = std::move(got);
}

Task<Transfer> Session::begin(Call& call, std::string line, std::uint64_t from, Reason otherwise) {
    Transfer transfer;
    transfer.verb = std::string{verb_of(line)};
    if (data_port_ == 0 && !listener_) co_await prepare(call, false);
    if (from > 0) {
        std::string rest = "REST " + std::to_string(from);
        restarts_ = true;
        FtpReply got = co_await command(call, std::move(rest));
        if (got.code / 100 != 3 && !is_positive(got)) {
            restarts_ = false;
            throw refusal(call.job(), "REST", got, Reason::unsupported);
        }
    }
    preliminary_ = false;
    line += "\r\n";
    if (listener_) {
        co_await send(call, std::move(line));
        co_await accept_data(call, transfer, otherwise);
    } else {
        // The server takes the connection when it has read the command: both go at once.
        co_await send(call, std::move(line));
        co_await connect_data(call, transfer, otherwise);
    }
    // The server begins with TLS when it has said that it begins; or it says that it does not.
    while (!preliminary_ && !transfer.outcome) {
        FtpReply got = co_await any_reply(call, transfer.verb);
        take_outcome(call, transfer, std::move(got), otherwise);
    }
    restarts_ = false;  // it has begun there
    if (settings_->tls) co_await secure_data(call, transfer, otherwise);
    co_return transfer;
}

Task<bool> Session::connect_data(Call& call, Transfer& transfer, Reason otherwise) {
    const Endpoint endpoint = data_endpoint();
    data_port_ = 0;
    DataDial outcome;
    auto dial = net::start_dial(call.loop(), endpoint, settings_->options.label, nullptr, [&outcome](Result<std::unique_ptr<net::Stream>> result) {
        outcome.result.emplace(std::move(result));
        outcome.baton.notify();
    });
    bool begun = false;
    while (!outcome.result) {
        auto got = try_reply(call.job());
        if (got) {
            begun = begun || is_preliminary(*got);
            take_outcome(call, transfer, std::move(*got), otherwise);
            continue;
        }
        call.expect(Phase::connect, "the data connection", settings_->options.timeout, Deadline{});
        const ControlWatch watch{*stream_, outcome.baton};
        co_await Wait{call, outcome.baton};
    }
    dial.reset();
    preliminary_ = preliminary_ || begun;
    if (!*outcome.result) {
        const Error& error = outcome.result->error();
        throw no_data_connection(call.job(), error.message(), error.reason()).with_phase(error.phase());
    }
    transfer.data = std::move(*outcome.result).value();
    if (log_.is_on()) log_.noted("a data connection to " + transfer.data->peer());
    co_return true;
}

std::unique_ptr<net::Stream> Session::adopt(Call& call, UniqueFd fd, std::string peer) const {
    return std::make_unique<net::Stream>(call.loop(), std::move(fd), std::move(peer), settings_->options.label);
}

Task<bool> Session::accept_data(Call& call, Transfer& transfer, Reason otherwise) {
    const UniqueFd listener = std::move(listener_);
    const auto server = address_of(stream_->fd(), true);
    net::FdWatch watch{call.loop(), listener.get()};
    bool begun = false;
    while (!transfer.data) {
        auto got = try_reply(call.job());
        if (got) {
            begun = begun || is_preliminary(*got);
            take_outcome(call, transfer, std::move(*got), otherwise);
            continue;
        }
        sockaddr_storage storage{};
        socklen_t size = sizeof storage;
        UniqueFd fd{::accept4(listener.get(), reinterpret_cast<sockaddr*>(&storage), &size, SOCK_CLOEXEC | SOCK_NONBLOCK)};
        if (fd) {
            const auto peer = net::Address::from(reinterpret_cast<const sockaddr*>(&storage), size);
            // Whoever else connects has nothing to do with it.
            if (peer && server && host_of(*peer) == host_of(*server)) transfer.data = adopt(call, std::move(fd), peer->to_string());
            continue;
        }
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) throw system_failure(call.job(), "taking the server's connection", errno);
        call.expect(Phase::connect, "the server's data connection", settings_->options.timeout);
        Baton baton;
        watch.wait(net::Ready::read, [&baton] { baton.notify(); });
        std::exception_ptr stopped;
        try {
            const ControlWatch control{*stream_, baton};
            co_await Wait{call, baton};
        } catch (const Error&) { stopped = std::current_exception(); }
        watch.cancel();
        if (stopped) std::rethrow_exception(stopped);
    }
    preliminary_ = preliminary_ || begun;
    if (log_.is_on()) log_.noted("a data connection from " + transfer.data->peer());
    co_return true;
}

Task<bool> Session::secure_data(Call& call, Transfer& transfer, Reason otherwise) {
    net::Stream& data = *transfer.data;
    data.start_tls(settings_->tls, {settings_->options.host, settings_->endpoint.port, settings_->options.label, {}});
    // That it is the same client is shown by the same session; most servers ask for that.
    net::offer_session_of(stream_->ssl(), data.ssl(), settings_->options.tls.reuse_sessions);
    for (;;) {
        call.expect(Phase::tls, "the TLS handshake of the data connection", settings_->options.timeout);
        auto step = data.handshake();
        if (step.kind == IoResult::Kind::done) co_return true;
        if (step.kind != IoResult::Kind::want_read && step.kind != IoResult::Kind::want_write) {
            std::optional<Error> broken = std::move(step.error);
            co_await explain(call, transfer, std::move(broken), otherwise);
        }
        const auto side = step.kind == IoResult::Kind::want_read ? net::Ready::read : net::Ready::write;
        co_await wait_data(call, transfer, side, otherwise);
    }
}

Task<bool> Session::wait_data(Call& call, Transfer& transfer, net::Ready side, Reason otherwise) {
    auto got = transfer.outcome ? std::nullopt : try_reply(call.job());
    if (got) {
        take_outcome(call, transfer, std::move(*got), otherwise);
        co_return true;
    }
    co_await keep_alive(call, transfer);
    call.expect(Phase::body, "data", settings_->options.timeout);
    co_await StreamWait{call, *transfer.data, side, transfer.outcome ? nullptr : stream_.get()};
    co_return true;
}

Task<bool> Session::keep_alive(Call& call, const Transfer& transfer) {
    const auto interval = settings_->options.noop_interval;
    if (interval.count() <= 0 || transfer.outcome || Clock::now() - last_word_ < interval) co_return false;
    std::string line = "NOOP\r\n";
    ++noops_;
    co_await send(call, std::move(line));
    co_return true;
}

Task<FtpReply> Session::finish(Call& call, Transfer& transfer, Reason otherwise) {
    while (!transfer.outcome) {
        FtpReply got = co_await any_reply(call, transfer.verb);
        take_outcome(call, transfer, std::move(got), otherwise);
    }
    transfer.data.reset();
    log_.noted_size(transfer.verb, transfer.bytes);
    // Answers to NOOP come behind it where the server has waited with them.
    while (noops_ > 0) {
        --noops_;
        co_await reply(call, "NOOP");
    }
    co_return std::move(*transfer.outcome);
}

Task<bool> Session::explain(Call& call, Transfer& transfer, std::optional<Error> broken, Reason otherwise) {
    std::optional<FtpReply> got;
    std::exception_ptr lost;
    try {
        const Deadline by{std::chrono::seconds{3}};
        while (!got && !transfer.outcome) {
            call.expect(Phase::body, "the reason why the data connection broke", settings_->options.timeout, by);
            got = try_reply(call.job());
            if (got && is_preliminary(*got)) got.reset();
            if (!got) co_await StreamWait{call, *stream_, net::Ready::read};
        }
    } catch (const Error&) { lost = std::current_exception(); }
    call.check();
    if (got && !is_positive(*got))
        throw refusal(call.job(), transfer.verb, *got, otherwise, got->code / 100 == 4 ? FtpErrc::transfer : FtpErrc::failed);
    if (got) transfer.outcome = std::move(got);
    if (broken) throw in_job(call.job(), std::move(*broken)).with_phase(Phase::body);
    if (lost) std::rethrow_exception(lost);
    throw failure(call.job(), FtpErrc::transfer, Reason::closed, "the data connection was closed before its time", Phase::body).with_retryable(true);
}

}  // namespace qconn::ftp
