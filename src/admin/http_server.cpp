// SPDX-License-Identifier: Apache-2.0
#include "admin/http_server.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "admin/listen.hpp"
#include "net/fd_watch.hpp"
#include "net/runtime_impl.hpp"
#include "net/timer.hpp"

namespace qconn::admin {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

namespace {

Response text_response(int status, std::string text) {
    Response response;
    response.status = status;
    response.body = std::move(text) + '\n';
    return response;
}

}  // namespace

/// What the server and its connections share. All but the handler's calls is done on one loop's thread.
class HttpServer::Core : public std::enable_shared_from_this<Core> {
public:
    Core(const ServerOptions& its_options, Handler handler, Listening listening)
        : options{its_options},
          loop{its_options.runtime.impl().loop().shared_from_this()},
          handler_{std::move(handler)},
          listener_{std::move(listening.fd)},
          family_{listening.address.family()} {}

    // Loop's thread:
    void start() {
        if (closed_) return;
        watch_.emplace(*loop, listener_.get());
        retry_.emplace(*loop);
        wait();
    }
    void close();
    void add(Session* session) { sessions_.insert(session); }
    void remove(Session* session) { sessions_.erase(session); }

    /// Blocking pool. Nothing once the server is going.
    std::optional<Response> handle(const Request& request);
    /// Any thread: no handler is called from then on, and none is running when it has returned.
    void silence() {
        std::unique_lock lock{mutex_};
        silent_ = true;
        idle_.wait(lock, [this] { return calls_ == 0; });
    }

    const ServerOptions options;
    const std::shared_ptr<net::Loop> loop;

private:
    void wait() {
        watch_->wait(net::Ready::read, [self = shared_from_this()] { self->accept(); });
    }
    void accept();

    const Handler handler_;
    net::UniqueFd listener_;
    const int family_;
    std::optional<net::FdWatch> watch_;
    std::optional<net::Timer> retry_;
    std::unordered_set<Session*> sessions_;
    bool closed_{false};

    std::mutex mutex_;
    std::condition_variable idle_;
    bool silent_{false};    // guarded by mutex_
    std::size_t calls_{0};  // guarded by mutex_
};

/// One connection: a request, its answer, the next request. Loop's thread.
class HttpServer::Session : public std::enable_shared_from_this<Session> {
public:
    Session(std::shared_ptr<Core> core, tcp::socket socket) : core_{std::move(core)}, stream_{std::move(socket)} { core_->add(this); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { core_->remove(this); }

    void read() {
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(core_->options.max_head));
        stream_.expires_after(core_->options.idle);
        http::async_read_header(stream_, buffer_, *parser_,
                                [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_head(error); });
    }
    void close() { stream_.close(); }

private:
    void on_head(beast::error_code error) {
        if (error == http::error::end_of_stream) return hang_up();
        if (error == http::error::header_limit || error == http::error::buffer_overflow) return refuse(431, "the head of the request is too large");
        // Other errors of the parser's are the request's fault; those of the socket need no answer, as nobody is there.
        if (error.category() == http::make_error_code(http::error::bad_method).category()) return refuse(400, "this is no HTTP request");
        if (error) return;
        const auto& head = parser_->get();
        keep_ = head.keep_alive();
        version_ = head.version();
        if (!parser_->is_done()) return refuse(413, "requests with a body are not taken");
        is_head_ = head.method() == http::verb::head;
        Request request;
        request.method = is_head_ ? "GET" : std::string{head.method_string()};
        const auto target = head.target();
        request.path = std::string{target.substr(0, target.find('?'))};
        stream_.expires_never();  // the time is the handler's
        core_->options.runtime.impl().post_blocking([self = shared_from_this(), request = std::move(request)]() mutable {
            auto response = self->core_->handle(request);
            const auto loop = self->core_->loop;
            // The connection goes on the loop's thread, whatever comes of it.
            loop->post([self = std::move(self), response = std::move(response)]() mutable {
                if (response) self->write(std::move(*response));
            });
        });
    }

    void refuse(int status, std::string text) {
        keep_ = false;
        is_head_ = false;
        write(text_response(status, std::move(text)));
    }

    void write(Response response) {
        answer_ = {};
        answer_.version(version_);
        answer_.result(static_cast<unsigned>(response.status));
        answer_.set(http::field::content_type, response.type);
        for (const auto& [name, value] : response.headers) answer_.set(name, value);
        answer_.keep_alive(keep_);
        answer_.content_length(response.body.size());
        if (!is_head_) answer_.body() = std::move(response.body);
        stream_.expires_after(core_->options.idle);
        http::async_write(stream_, answer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (error) return;
            if (self->keep_)
                self->read();
            else
                self->hang_up();
        });
    }

    void hang_up() {
        beast::error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    const std::shared_ptr<Core> core_;
    beast::tcp_stream stream_;
    beast::flat_buffer buffer_{2 * core_->options.max_head};
    std::optional<http::request_parser<http::empty_body>> parser_;
    http::response<http::string_body> answer_;
    unsigned version_{11};
    bool keep_{false};
    bool is_head_{false};
};

void HttpServer::Core::accept() {
    for (;;) {
        const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) return wait();
            // No descriptors or memory: that passes, and the listener stays ready all the while.
            return retry_->arm(Deadline{std::chrono::milliseconds{100}}, [self = shared_from_this()] { self->accept(); });
        }
        net::UniqueFd owned{fd};
        if (sessions_.size() >= options.max_connections) continue;
        tcp::socket socket{*loop->context()};
        beast::error_code error;
        socket.assign(family_ == AF_INET ? tcp::v4() : tcp::v6(), fd, error);
        if (error) continue;
        (void)owned.release();
        std::make_shared<Session>(shared_from_this(), std::move(socket))->read();
    }
}

void HttpServer::Core::close() {
    closed_ = true;
    watch_.reset();
    retry_.reset();
    listener_.reset();
    for (Session* session : sessions_) session->close();
}

std::optional<Response> HttpServer::Core::handle(const Request& request) {
    {
        const std::scoped_lock lock{mutex_};
        if (silent_) return std::nullopt;
        ++calls_;
    }
    Response response;
    try {
        response = handler_(request);
    } catch (const std::exception& e) {
        loop->log().write({LogLevel::error, {}, "request-failed", e.what(), {{"path", request.path}}});
        response = text_response(500, "the request failed; the log has the reason");
    }
    const std::scoped_lock lock{mutex_};
    if (--calls_ == 0) idle_.notify_all();
    return response;
}

HttpServer::HttpServer(const ServerOptions& options, Handler handler) : host_{options.host} {
    Listening listening = listen_on(options.host, options.port);
    port_ = listening.port;
    core_ = std::make_shared<Core>(options, std::move(handler), std::move(listening));
    core_->loop->post([core = core_] { core->start(); });
}

HttpServer::~HttpServer() {
    core_->silence();
    if (core_->loop->on_thread()) {
        core_->close();
        return;
    }
    if (core_->options.runtime.on_io_thread()) {
        core_->loop->post([core = core_] { core->close(); });
        return;
    }
    std::mutex mutex;
    std::condition_variable came;
    bool done = false;
    core_->loop->post([&] {
        core_->close();
        const std::scoped_lock lock{mutex};  // notified under it: the waiter's stack goes with its return
        done = true;
        came.notify_all();
    });
    std::unique_lock lock{mutex};
    came.wait(lock, [&] { return done; });
}

}  // namespace qconn::admin
