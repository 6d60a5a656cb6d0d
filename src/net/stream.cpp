// SPDX-License-Identifier: Apache-2.0
#include "net/stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <qconn/net/net_error.hpp>

#include "net/address.hpp"
#include "net/local_fault.hpp"
#include "net/openssl_ptr.hpp"
#include "net/runtime_impl.hpp"
#include "net/tls_core.hpp"

namespace qconn::net {

namespace {

// OpenSSL's own socket BIO uses write(), which raises SIGPIPE where the peer has gone. This one sends and receives through the Stream.

Stream& stream_of(BIO* bio) { return *static_cast<Stream*>(BIO_get_data(bio)); }

void set_retry(BIO* bio) {
    if (errno != EAGAIN && errno != EINTR) return;
    if (stream_of(bio).blocked_on() == Ready::write)
        BIO_set_retry_write(bio);
    else
        BIO_set_retry_read(bio);
}

int bio_write(BIO* bio, const char* data, int size) {
    BIO_clear_retry_flags(bio);
    const long sent = stream_of(bio).send(bio, data, static_cast<std::size_t>(size));
    if (sent < 0) set_retry(bio);
    return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* data, int size) {
    BIO_clear_retry_flags(bio);
    const long received = stream_of(bio).receive(bio, data, static_cast<std::size_t>(size));
    if (received < 0) set_retry(bio);
    if (received == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return static_cast<int>(received);
}

long bio_control(BIO* bio, int command, long, void*) {
    switch (command) {
        case BIO_CTRL_FLUSH: return 1;
        case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
        default: return 0;
    }
}

const BIO_METHOD* stream_bio() {
    static const BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "qconn stream");
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_read(made, bio_read);
        BIO_meth_set_ctrl(made, bio_control);
        return made;
    }();
    return method;
}

Error no_tls(std::string_view label) {
    return Error{make_error_code(NetErrc::ssl), error_name(NetErrc::ssl), "OpenSSL could not be set up: " + take_openssl_words()}
        .with_connection(label)
        .with_phase(Phase::tls)
        .with_reason(Reason::local)
        .with_retryable(true);
}

}  // namespace

Stream::Stream(Loop& loop, UniqueFd fd, std::string peer, std::string label)
    : loop_{loop.shared_from_this()}, fd_{std::move(fd)}, peer_{std::move(peer)}, label_{std::move(label)} {}

Stream::~Stream() { close(); }

bool Stream::is_below_tunnel(const BIO* bio) const noexcept { return tunnel_ == nullptr || (bio != nullptr && SSL_get_rbio(tunnel_) == bio); }

long Stream::receive_raw(char* data, std::size_t size) noexcept {
    blocked_on_ = Ready::read;
    long received = 0;
    do received = ::recv(fd_.get(), data, size, 0);
    while (received < 0 && errno == EINTR);
    return received;
}

long Stream::send_raw(const char* data, std::size_t size) noexcept {
    blocked_on_ = Ready::write;
    long sent = 0;
    do sent = ::send(fd_.get(), data, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

long Stream::tunnel_outcome(int result, std::size_t size) noexcept {
    if (result == 1) return static_cast<long>(size);
    const int kind = SSL_get_error(tunnel_, result);
    ERR_clear_error();  // or the TLS above would take it for its own
    switch (kind) {
        case SSL_ERROR_WANT_READ: blocked_on_ = Ready::read; break;
        case SSL_ERROR_WANT_WRITE: blocked_on_ = Ready::write; break;
        case SSL_ERROR_ZERO_RETURN: return 0;
        default: errno = ECONNRESET; return -1;
    }
    errno = EAGAIN;
    return -1;
}

long Stream::receive(const BIO* bio, char* data, std::size_t size) noexcept {
    const bool raw = is_below_tunnel(bio);
    if (!unread_.empty() && (raw == (tunnel_ == nullptr))) {
        const auto used = std::min(size, unread_.size());
        std::memcpy(data, unread_.data(), used);
        unread_.erase(0, used);
        return static_cast<long>(used);
    }
    if (raw) return receive_raw(data, size);
    std::size_t received = 0;
    const int result = SSL_read_ex(tunnel_, data, size, &received);
    return tunnel_outcome(result, received);
}

long Stream::send(const BIO* bio, const char* data, std::size_t size) noexcept {
    if (is_below_tunnel(bio)) return send_raw(data, size);
    std::size_t sent = 0;
    const int result = SSL_write_ex(tunnel_, data, size, &sent);
    return tunnel_outcome(result, sent);
}

IoResult Stream::blocked() const noexcept { return {blocked_on_ == Ready::write ? IoResult::Kind::want_write : IoResult::Kind::want_read}; }

void Stream::enter_tunnel() noexcept {
    tunnel_tls_ = std::move(tls_);
    tunnel_ = std::exchange(ssl_, nullptr);
    tls_stands_ = false;
}

void Stream::unread(std::string_view data) { unread_.insert(0, data); }

IoResult Stream::failure(int system_error) const {
    const Reason reason = reason_of(system_error);
    std::string message = "the connection to " + peer_ + " broke: " + std::generic_category().message(system_error);
    if (reason == Reason::reset) message += "; the peer or something on the way cut it";
    return {IoResult::Kind::failed, 0,
            Error{make_error_code(NetErrc::io), error_name(NetErrc::io), std::move(message)}
                .with_connection(label_)
                .with_reason(reason == Reason::none ? Reason::reset : reason)
                .with_retryable(true)
                .with_spoils_connection(true)};
}

IoResult Stream::tls_outcome(int result, int system_error) {
    switch (SSL_get_error(ssl_, result)) {
        case SSL_ERROR_WANT_READ: return {IoResult::Kind::want_read};
        case SSL_ERROR_WANT_WRITE: return {IoResult::Kind::want_write};
        case SSL_ERROR_ZERO_RETURN: return {IoResult::Kind::closed};
        default: break;
    }
    const bool stood = std::exchange(tls_stands_, false);
    const unsigned long code = ERR_peek_error();
    if (stood) {
        // Many servers close without close_notify; who needs the difference has lengths in its protocol.
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            ERR_clear_error();
            return {IoResult::Kind::closed};
        }
        if (code == 0) return system_error == 0 ? IoResult{IoResult::Kind::closed} : failure(system_error);
    }
    // With TLS 1.3 a server refuses a client's certificate after the client thinks that the handshake is over: an alert is one of the handshake here
    // too.
    return {IoResult::Kind::failed, 0, tls_error(ssl_, result, system_error, label_, target_)};
}

IoResult Stream::read_some(char* data, std::size_t size) {
    on_idle_ = nullptr;
    if (ssl_ == nullptr) {
        const long received = receive(nullptr, data, size);
        if (received > 0) return {IoResult::Kind::done, static_cast<std::size_t>(received)};
        if (received == 0) return {IoResult::Kind::closed};
        return errno == EAGAIN ? blocked() : failure(errno);
    }
    ERR_clear_error();
    errno = 0;
    std::size_t received = 0;
    const int result = SSL_read_ex(ssl_, data, size, &received);
    if (result == 1) return {IoResult::Kind::done, received};
    return tls_outcome(result, errno);
}

IoResult Stream::write_some(std::string_view data) {
    on_idle_ = nullptr;
    if (ssl_ == nullptr) {
        const long sent = send(nullptr, data.data(), data.size());
        if (sent >= 0) return {IoResult::Kind::done, static_cast<std::size_t>(sent)};
        return errno == EAGAIN ? blocked() : failure(errno);
    }
    ERR_clear_error();
    errno = 0;
    std::size_t sent = 0;
    const int result = SSL_write_ex(ssl_, data.data(), data.size(), &sent);
    if (result == 1) return {IoResult::Kind::done, sent};
    return tls_outcome(result, errno);
}

void Stream::start_tls(std::shared_ptr<const TlsContext> context, TlsPeer peer) {
    tls_ = std::move(context);
    target_ = '"' + (peer.port != 0 ? authority(peer.host, peer.port) : peer.host) + '"';
    ERR_clear_error();
    SslPtr ssl{SSL_new(tls_->native())};
    BioPtr bio{BIO_new(stream_bio())};
    if (!ssl || !bio) throw no_tls(label_);
    BIO_set_data(bio.get(), this);
    BIO_set_init(bio.get(), 1);
    SSL_set_bio(ssl.get(), bio.get(), bio.get());
    static_cast<void>(bio.release());  // the SSL's now
    prepare(ssl.get(), *tls_, std::move(peer));
    ssl_ = ssl.release();
}

IoResult Stream::handshake() {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_connect(ssl_);
    if (result != 1 && SSL_want_retry_verify(ssl_)) {
        wanted_ = wanted_crls(ssl_);
        return {IoResult::Kind::want_read};
    }
    if (result != 1) return tls_outcome(result, errno);
    if (auto refused = check_resumed(ssl_)) return {IoResult::Kind::failed, 0, std::move(refused)};
    tls_stands_ = true;
    return {IoResult::Kind::done};
}

bool Stream::has_tls() const noexcept { return ssl_ != nullptr; }

std::optional<TlsInfo> Stream::tls_info() const {
    if (ssl_ == nullptr) return std::nullopt;
    return describe(ssl_);
}

SSL* Stream::ssl() const noexcept { return ssl_; }

FdWatch& Stream::watch() {
    if (!watch_) watch_ = std::make_unique<FdWatch>(*loop_, fd_.get());
    return *watch_;
}

void Stream::wait(Ready side, UniqueFunction<void()> callback) {
    if (!wanted_) return watch().wait(side, std::move(callback));
    const auto runtime = loop_->runtime();
    if (!runtime) return;  // it is ending, and with it whoever waits
    CrlWanted wanted = std::move(*wanted_);
    wanted_.reset();
    crl_query_ = std::make_unique<CrlQuery>(runtime->blocking_pool(), *loop_, std::move(wanted), std::move(callback));
}

void Stream::cancel_waits() noexcept {
    on_idle_ = nullptr;
    crl_query_.reset();
    if (watch_) watch_->cancel();
}

void Stream::watch_idle(UniqueFunction<void()> callback) {
    on_idle_ = std::move(callback);
    watch().wait(Ready::read, [this] { on_idle_event(); });
}

void Stream::on_idle_event() {
    if (!on_idle_) return;
    // Under TLS there is more to read than data: session tickets.
    if (looks_idle()) {
        watch().wait(Ready::read, [this] { on_idle_event(); });
        return;
    }
    auto callback = std::exchange(on_idle_, nullptr);
    callback();
}

void Stream::unwatch() noexcept { cancel_waits(); }

bool Stream::looks_idle() {
    if (!fd_ || !unread_.empty()) return false;
    char one = 0;
    SSL* const top = ssl_ != nullptr ? ssl_ : tunnel_;
    if (top == nullptr) return ::recv(fd_.get(), &one, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
    ERR_clear_error();
    std::size_t peeked = 0;
    const int result = SSL_peek_ex(top, &one, 1, &peeked);
    const bool idle = result != 1 && SSL_get_error(top, result) == SSL_ERROR_WANT_READ;
    if (!idle && result != 1) tls_stands_ = false;
    ERR_clear_error();
    return idle;
}

IoResult Stream::finish_writing() noexcept {
    if (ssl_ != nullptr && tls_stands_) {
        ERR_clear_error();
        const int result = SSL_shutdown(ssl_);
        const bool blocked = result < 0 && SSL_get_error(ssl_, result) == SSL_ERROR_WANT_WRITE;
        ERR_clear_error();
        if (blocked) return {IoResult::Kind::want_write};
    }
    if (tunnel_ != nullptr)
        SSL_shutdown(tunnel_);
    else if (fd_)
        ::shutdown(fd_.get(), SHUT_WR);
    ERR_clear_error();
    return {IoResult::Kind::done};
}

void Stream::move_to(Loop& loop) noexcept {
    cancel_waits();
    watch_.reset();
    loop_ = loop.shared_from_this();
}

void Stream::abort() noexcept {
    const linger now{.l_onoff = 1, .l_linger = 0};
    if (fd_) ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    // Or the sessions would count as spoilt.
    if (ssl_ != nullptr) SSL_set_quiet_shutdown(ssl_, 1);
    if (tunnel_ != nullptr) SSL_set_quiet_shutdown(tunnel_, 1);
    close();
}

void Stream::close() noexcept {
    on_idle_ = nullptr;
    crl_query_.reset();
    watch_.reset();
    if (ssl_ != nullptr) {
        ERR_clear_error();
        if (tls_stands_) SSL_shutdown(ssl_);
        ERR_clear_error();
        SSL_free(ssl_);
        ssl_ = nullptr;
    }
    if (tunnel_ != nullptr) {
        if (SSL_is_init_finished(tunnel_) == 1) SSL_shutdown(tunnel_);
        ERR_clear_error();
        SSL_free(tunnel_);
        tunnel_ = nullptr;
    }
    fd_.reset();
}

}  // namespace qconn::net
