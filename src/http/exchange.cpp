// SPDX-License-Identifier: Apache-2.0
#include "http/exchange.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>

#include "base/text.hpp"
#include "http/http_error.hpp"
#include "net/address.hpp"
#include "net/http_auth.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::http {

namespace {

using net::CurlStop;
using std::chrono::milliseconds;

/// What was set on a handle, so that the next request with the same need not set it again.
struct Memo final : net::CurlHandle::Memory {
    enum class Shape { none, get, head, custom, body, source };
    std::shared_ptr<CookieJar> cookies;  // a kept handle may outlive its client
    std::string url;
    std::string socket;
    std::string custom;
    Shape shape{Shape::none};
    const curl_slist* headers{nullptr};
    long version{CURL_HTTP_VERSION_NONE};
    long connect_timeout{-1};
    const Proxy* proxy{nullptr};
    bool fresh{false};
};

constexpr std::array<std::string_view, 7> k_standard_methods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

std::string method_of(std::string_view given) {
    for (const std::string_view one : k_standard_methods) {
        if (text::iequals(one, given)) return std::string{one};
    }
    if (!is_token(given) || text::iequals(given, "CONNECT")) {
        throw make_http_error(HttpErrc::option,
                              "\"" + text::printable(text::shorten(given, 40)) + "\" is no method that can be requested; use a word such as GET",
                              Phase::none, Reason::bad_value);
    }
    return std::string{given};
}

void configure(CURL* easy, const Settings& settings) {
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, settings.http_version == CURL_HTTP_VERSION_2TLS ? 1L : 0L);
    if (settings.cookies) {
        curl_easy_setopt(easy, CURLOPT_SHARE, settings.cookies->get());
        curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");  // switches them on
    }
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, settings.options.max_idle == 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, settings.options.tls.reuse_sessions ? 1L : 0L);
    const SocketOptions& socket = settings.options.socket;
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, socket.no_delay ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAX_SEND_SPEED_LARGE, static_cast<curl_off_t>(socket.max_send_rate));
    curl_easy_setopt(easy, CURLOPT_MAX_RECV_SPEED_LARGE, static_cast<curl_off_t>(socket.max_receive_rate));
    // For addresses that libcurl has from elsewhere than from us: literals, localhost, what it looks up for SOCKS.
    if (socket.family == AddressFamily::only_ipv4) curl_easy_setopt(easy, CURLOPT_IPRESOLVE, static_cast<long>(CURL_IPRESOLVE_V4));
    if (socket.family == AddressFamily::only_ipv6) curl_easy_setopt(easy, CURLOPT_IPRESOLVE, static_cast<long>(CURL_IPRESOLVE_V6));
    if (socket.max_receive_rate > 0) {
        // A full buffer at once and then a long silence would pass for a peer that says nothing.
        const auto buffer = std::clamp<std::int64_t>(socket.max_receive_rate, 1024, CURL_MAX_WRITE_SIZE);
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, static_cast<long>(buffer));
    }
}

std::chrono::nanoseconds time_of(CURL* easy, CURLINFO info) noexcept {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, info, &microseconds);
    return std::chrono::microseconds{microseconds};
}

std::string seconds(milliseconds time) {
    if (time.count() % 1000 == 0) return std::to_string(time.count() / 1000) + " s";
    return std::to_string(time.count()) + " ms";
}

std::string_view phase_words(Phase phase) noexcept {
    switch (phase) {
        case Phase::resolve: return "looking up the name";
        case Phase::connect: return "connecting";
        case Phase::proxy: return "asking the proxy for a tunnel";
        case Phase::tls: return "the TLS handshake";
        case Phase::head: return "waiting for the answer";
        case Phase::body: return "receiving the body of the answer";
        default: return "working on it";
    }
}

std::string in_words(std::string_view words, CURLcode code) {
    std::string out{text::trim(words)};
    if (out.empty()) out = curl_easy_strerror(code);
    return text::printable(out);
}

}  // namespace

Exchange::Exchange(std::shared_ptr<const Settings> settings, const HttpRequest& request, Deadline deadline, CallMode mode)
    : settings_{std::move(settings)}, request_{request}, mode_{mode}, started_{Clock::now()}, method_{method_of(request.method)} {
    const HttpOptions& options = settings_->options;
    deadline_ = deadline;
    socket_ = &options.socket;
    connect_timeout_ = options.connect_timeout;
    silence_ = request.timeout.count() != 0 ? request.timeout : options.timeout;
    const PathRules rules{options.encode_characters, options.pre_encoded_paths};
    if (!request.headers.empty()) {
        check_headers(request.headers);
        own_headers_ = request.headers;
    }
    if (is_whole_url(request.path)) {
        UserInfo user;
        target_ = parse_target(encode_path(request.path, {{}, options.pre_encoded_paths}), &user);
        with_credentials_ = target_.same_origin(settings_->base);
        // The header of the call wins where it is sent at all.
        const bool has_own = with_credentials_ && own_headers_.find("Authorization") != nullptr;
        if (!user.empty() && !has_own) url_authorization_ = Secret{net::basic_credentials(user.username, user.password.reveal())};
    } else if (request.path.empty()) {
        target_ = settings_->base;
    } else {
        target_ = settings_->base;
        target_.path = join_paths(settings_->base_path, encode_path(request.path, rules));
    }
    check_route();
    may_repeat_ = request.repeatable || is_idempotent(method_);
    body_ = request.body;
    if (request.body_from) {
        if (!body_.empty()) {
            throw make_http_error(HttpErrc::option, "a request has one body: leave out body or body_from", Phase::none, Reason::bad_value,
                                  options.label);
        }
        if (!request.body_from->size() && settings_->http_version == CURL_HTTP_VERSION_1_0) {
            throw make_http_error(HttpErrc::option, "HTTP/1.0 has no bodies of unknown size", Phase::none, Reason::bad_value, options.label);
        }
    }
    has_body_ = request.has_body || !body_.empty() || request.body_from || method_ == "POST" || method_ == "PUT" || method_ == "PATCH";
    if (has_body_ && method_ == "HEAD") {
        throw make_http_error(HttpErrc::option, "a HEAD request has no body; leave it out, or use GET", Phase::none, Reason::bad_value,
                              options.label);
    }
    if (!options.send_coding.empty() && body_.size() > options.compress_above && own_headers_.find("Content-Encoding") == nullptr) {
        coded_body_ = encode(options.send_coding, body_);
        body_ = coded_body_;
        own_headers_.set("Content-Encoding", options.send_coding);
    }
    compose();
}

void Exchange::check_route() const {
    // libcurl 7.88 loses memory where it finds this out by itself.
    const Proxy* proxy = settings_->proxy_for(target_);
    if (proxy != nullptr && proxy->kind == Proxy::Kind::socks4 && target_.host.find(':') != std::string::npos) {
        throw make_http_error(HttpErrc::connect, "\"" + target_.host + "\" has no IPv4 address, and SOCKS4 leads to no other; use a socks5 proxy",
                              Phase::resolve, Reason::unknown_host, settings_->options.label);
    }
}

void Exchange::go_to(const std::string& base_url) {
    const Target base = parse_target(encode_path(base_url, {}));
    if (!is_whole_url(request_.path)) {
        const HttpOptions& options = settings_->options;
        target_ = base;
        if (!request_.path.empty())
            target_.path = join_paths(base.path, encode_path(request_.path, {options.encode_characters, options.pre_encoded_paths}));
    }
    with_credentials_ = target_.same_origin(base);
    check_route();
}

void Exchange::compose() {
    plain_ = own_headers_.empty() && !has_body_ && with_credentials_ && url_authorization_.empty() && !authorization_;
    if (plain_) return;
    headers_ = settings_->headers_for(own_headers_, with_credentials_, has_body_);
    if (!url_authorization_.empty()) headers_.set("Authorization", std::string{url_authorization_.reveal()});
    if (!authorization_ || !with_credentials_) return;
    const std::string url = target_.url();
    const std::string host = target_.authority();
    const Headers more = authorization_->headers_for(
        {method_, url, host, headers_, has_body_ ? body_ : std::string_view{}, has_body_ && request_.body_from != nullptr});
    check_headers(more);
    for (const auto& [name, value] : more) headers_.set(name, value);
}

bool Exchange::wants_authorization() const noexcept {
    const auto& authenticator = settings_->options.authenticator;
    return authenticator && (with_credentials_ || authenticator->names_origin()) && url_authorization_.empty() &&
           own_headers_.find("Authorization") == nullptr;
}

void Exchange::authorize(HttpAuthorizationPtr authorization) {
    renewed_ = refused_ != nullptr;
    if (renewed_) {
        HttpResponse fresh;
        fresh.info.redirects = redirects_;
        response_ = std::move(fresh);
    }
    refused_ = nullptr;
    authorization_ = std::move(authorization);
    if (redirects_ == 0) {
        if (const std::string base = authorization_->base_url(request_.path); !base.empty()) go_to(base);
    }
    compose();
}

void Exchange::fail(Error error) {
    refused_ = nullptr;
    error_ = std::move(error);
}

void Exchange::end_refused() {
    refused_ = nullptr;
    renewed_ = true;
    decide();
}

void Exchange::prepare(net::CurlHandle& handle) {
    CURL* easy = handle.easy();
    easy_ = easy;
    if (!handle.memory) {
        configure(easy, *settings_);
        auto fresh = std::make_unique<Memo>();
        fresh->cookies = settings_->cookies;
        handle.memory = std::move(fresh);
    }
    Memo& memo = static_cast<Memo&>(*handle.memory);

    std::string url = target_.url();
    if (memo.url != url) {
        curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
        memo.url = std::move(url);
    }
    if (memo.socket != target_.socket) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, target_.socket.empty() ? nullptr : target_.socket.c_str());
        memo.socket = target_.socket;
    }
    proxy_ = settings_->proxy_for(target_);
    if (memo.proxy != proxy_) {
        net::set_proxy(easy, proxy_, settings_->proxy_headers.get());
        memo.proxy = proxy_;
    }
    long version = settings_->http_version;
    if (version == CURL_HTTP_VERSION_2TLS && !target_.tls) version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    shares_socket_ = settings_->http_version == CURL_HTTP_VERSION_2TLS;
    if (memo.version != version) {
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
        memo.version = version;
    }

    const bool streams = has_body_ && request_.body_from;
    const Memo::Shape shape = streams             ? Memo::Shape::source
                              : has_body_         ? Memo::Shape::body
                              : method_ == "HEAD" ? Memo::Shape::head
                              : method_ == "GET"  ? Memo::Shape::get
                                                  : Memo::Shape::custom;
    if (memo.shape != shape || has_body_) {
        if (memo.shape == Memo::Shape::head && shape != Memo::Shape::head) curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
        if (shape == Memo::Shape::source) {
            const std::optional<std::uint64_t> size = request_.body_from->size();
            curl_easy_setopt(easy, CURLOPT_POST, 1L);
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size ? static_cast<curl_off_t>(*size) : curl_off_t{-1});
            curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Exchange::read_source);
            curl_easy_setopt(easy, CURLOPT_READDATA, this);
        } else if (shape == Memo::Shape::body) {
            curl_easy_setopt(easy, CURLOPT_POST, 1L);
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body_.data());
        } else if (shape == Memo::Shape::head) {
            curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
            curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        } else {
            curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        }
        memo.shape = shape;
    }
    const bool named = shape == Memo::Shape::custom || (has_body_ && method_ != "POST");
    const std::string_view custom = named ? std::string_view{method_} : std::string_view{};
    if (memo.custom != custom) {
        memo.custom = custom;
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, memo.custom.empty() ? nullptr : memo.custom.c_str());
    }
    constexpr std::size_t k_small_body = 16 * 1024;  // goes into any socket's buffer at once
    handle.watch_upload(streams || body_.size() > k_small_body);

    const curl_slist* headers = settings_->plain_headers.get();
    if (!plain_) {
        list_ = to_list(headers_, has_body_);
        if (streams && !request_.body_from->size() && settings_->http_version == CURL_HTTP_VERSION_1_1)
            list_.reset(curl_slist_append(list_.release(), "Transfer-Encoding: chunked"));
        headers = list_.get();
    }
    if (memo.headers != headers || !plain_) {
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        memo.headers = plain_ ? headers : nullptr;
    }

    host_ = proxy_ != nullptr ? proxy_->host : target_.socket.empty() ? target_.host : std::string_view{};
    port_ = proxy_ != nullptr ? proxy_->port : target_.port;

    // libcurl shares out its time among the addresses of a name, so it must know it; ours, a little shorter, names the phase.
    milliseconds connect = connect_timeout_.count() != 0 ? connect_timeout_ : milliseconds{std::chrono::hours{24}};
    if (!deadline_.is_never()) connect = std::min(connect, std::chrono::ceil<milliseconds>(deadline_.remaining()));
    const auto wanted = static_cast<long>(std::min<std::int64_t>(connect.count() + 100, 86'400'000));
    if (memo.connect_timeout != wanted) {
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, wanted);
        memo.connect_timeout = wanted;
    }
    if (memo.fresh != fresh_) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh_ ? 1L : 0L);
        memo.fresh = fresh_;
    }

    head_done_ = false;
    discard_ = false;
    const bool was_traced = wanted_crls() != nullptr;  // the same request once more, of which nothing was sent
    tls_report_.reset();
    proxy_tls_report_.reset();
    head_bytes_ = 0;
    body_bytes_ = 0;
    decoder_.reset();
    decoding_problem_.clear();
    abort_ = Abort::none;
    to_sink_ = false;
    source_bytes_ = 0;
    source_ready_ = streams && guarded(Abort::source, [&] {
                        if (request_.body_from->seek(0)) return;
                        throw make(HttpErrc::body, what() + ": the body would have to be sent once more, and its source cannot be rewound",
                                   Phase::head, Reason::unsupported);
                    });

    if (!trace_) trace_ = TraceCall::begin(settings_);
    if (trace_ && !was_traced) {
        const std::string_view body = coded_body_.empty() ? body_ : std::string_view{request_.body};
        trace_->sent(fresh_, redirects_, method_, memo.url, plain_ ? settings_->headers_for({}, true, false) : headers_,
                     has_body_ ? body : std::string_view{});
    }
}

template <class Call>
bool Exchange::guarded(Abort abort, Call call) noexcept {
    try {
        try {
            call();
            return true;
        } catch (const Error& error) { body_problem_ = error; } catch (const std::exception& error) {
            body_problem_ =
                make(HttpErrc::body,
                     what() + ": " + (abort == Abort::sink ? "the sink of the answer" : "the source of the body") + " failed: " + error.what(),
                     Phase::body, Reason::local);
        }
    } catch (...) {  // no memory for words
    }
    abort_ = abort;
    return false;
}

std::size_t Exchange::read_source(char* to, std::size_t size, std::size_t count, void* self) noexcept {
    auto& exchange = *static_cast<Exchange*>(self);
    if (!exchange.source_ready_) return CURL_READFUNC_ABORT;
    std::size_t got = 0;
    if (!exchange.guarded(Abort::source, [&] { got = exchange.request_.body_from->read(to, size * count); })) return CURL_READFUNC_ABORT;
    exchange.source_bytes_ += got;
    return got;
}

bool Exchange::on_tls(SSL_CTX* context) {
    try {
        if (settings_->proxy_tls && proxy_ != nullptr && is_outermost_tls()) {
            proxy_tls_report_ = std::make_shared<net::TlsReport>();
            settings_->proxy_tls->apply(context, proxy_->host, settings_->options.label, proxy_tls_report_);
            return true;
        }
        tls_report_ = std::make_shared<net::TlsReport>();
        settings_->tls->apply(context, target_.host, settings_->options.label, tls_report_);
        return true;
    } catch (const Error& error) {
        tls_problem_ = error;
        abort_ = Abort::tls;
        return false;
    }
}

std::shared_ptr<const net::CrlWanted> Exchange::wanted_crls() const {
    for (const auto* report : {&tls_report_, &proxy_tls_report_}) {
        if (*report == nullptr) continue;
        if (auto wanted = (*report)->wanted()) return wanted;
    }
    return nullptr;
}

bool Exchange::on_head(std::string_view line) {
    head_bytes_ += line.size();
    if (head_bytes_ > settings_->options.max_head) {
        abort_ = Abort::head_too_large;
        return false;
    }
    // What a proxy asks the log-in by is answered within the run: another head follows.
    if (head_done_ && proxy_ != nullptr && response_.status == 407 && line.starts_with("HTTP/")) head_done_ = false;
    if (head_done_) return true;  // trailers
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty()) {
        // Interim answers are followed by the head of the real one.
        if (response_.status / 100 != 1 || response_.status == 101) end_of_head();
        return abort_ == Abort::none;
    }
    if (line.starts_with("HTTP/")) {
        read_status_line(line);
        return true;
    }
    if ((line.front() == ' ' || line.front() == '\t')) return true;  // a folded field (RFC 9112 section 5.2): nothing of ours reads those
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    response_.headers.add(line.substr(0, colon), text::trim(line.substr(colon + 1)));
    return true;
}

void Exchange::read_status_line(std::string_view line) {
    constexpr std::size_t k_usual_fields = 16;
    response_.headers = {};
    response_.headers.reserve(k_usual_fields);
    response_.status = 0;
    response_.reason.clear();
    const std::size_t blank = std::min(line.find(' '), line.size());
    response_.info.version = line.substr(0, blank);
    line.remove_prefix(std::min(blank + 1, line.size()));
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), response_.status);
    static_cast<void>(error);
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    response_.reason = text::trim(line);
}

bool Exchange::is_redirect() const { return redirect_rule(settings_->options.redirects, response_.status, method_).follow; }

void Exchange::end_of_head() {
    head_done_ = true;
    if (response_.status == 407 && proxy_ != nullptr && proxy_->auth != Proxy::Auth::basic) begin_again();
    if (target_.tls && opened_socket()) {
        const curl_tlssessioninfo* session = nullptr;
        if (curl_easy_getinfo(easy_, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session != nullptr && session->internals != nullptr) {
            TlsInfo info = net::describe(static_cast<SSL*>(session->internals));
            // An earlier session stands for the check that was made then, which could only have been this where nothing was let pass.
            const TlsOptions& tls = settings_->options.tls;
            if (info.session_reused && info.verdict.empty() && tls.verify && tls.waive == TlsWaiver::none && !tls.decide) info.verdict = "ok";
            response_.info.tls_info = std::move(info);
        }
    }
    if (is_redirect()) {
        discard_ = true;
        return;
    }
    const HttpOptions& options = settings_->options;
    if (request_.body_to && response_.status / 100 == 2) {
        to_sink_ = true;
        const bool told = guarded(Abort::sink, [this] {
            if (auto* const sink = dynamic_cast<HttpBodySink*>(request_.body_to.get())) sink->begin(response_);
        });
        if (!told) return;
    }
    if (const std::string* length = response_.headers.find("Content-Length"); length != nullptr && !to_sink_) {
        std::size_t size = 0;
        std::from_chars(length->data(), length->data() + length->size(), size);
        constexpr std::size_t k_trusted = std::size_t{1024} * 1024;
        response_.body.reserve(std::min({size, options.max_body, k_trusted}));
    }
    if (!settings_->decode || response_.headers.find("Content-Encoding") == nullptr) return;
    std::vector<std::string> codings;
    for (const auto& [name, value] : response_.headers) {
        if (!text::iequals(name, "Content-Encoding")) continue;
        for (std::string& one : parse_codings(value)) codings.push_back(std::move(one));
    }
    const auto unknown = std::find_if(codings.begin(), codings.end(), [](const std::string& one) { return !is_known_coding(one); });
    if (unknown != codings.end()) {
        decoding_problem_ = "the content coding \"" + text::printable(text::shorten(*unknown, 40)) + "\" is not known";
    } else if (codings.size() > k_most_codings) {
        decoding_problem_ = "more than " + std::to_string(k_most_codings) + " content codings lie on each other";
    } else if (!codings.empty()) {
        const std::size_t most = to_sink_ ? std::numeric_limits<std::size_t>::max() : options.max_body;
        decoder_.emplace(codings, CodingLimits{most, options.max_expansion, std::size_t{1024} * 1024});
    }
}

bool Exchange::on_body(std::string_view bytes) {
    body_bytes_ += bytes.size();
    if (!to_sink_ && body_bytes_ > settings_->options.max_body) {
        abort_ = Abort::body_too_large;
        return false;
    }
    if (discard_) return true;
    const auto write = [this](std::string_view piece) { return piece.empty() || guarded(Abort::sink, [&] { request_.body_to->write(piece); }); };
    if (!decoder_) {
        if (to_sink_) return write(bytes);
        response_.body.append(bytes);
        return true;
    }
    decoded_.clear();
    switch (decoder_->feed(bytes, to_sink_ ? decoded_ : response_.body)) {
        case CodingStatus::ok: return !to_sink_ || write(decoded_);
        case CodingStatus::too_large: abort_ = Abort::body_too_large; return false;
        case CodingStatus::expansion: abort_ = Abort::expansion; return false;
        case CodingStatus::broken: break;
    }
    decoding_problem_ = decoder_->problem();
    abort_ = Abort::coding;
    return false;
}

bool Exchange::finished(net::CurlHandle& handle, const End& end) {
    if (handle.memory) gather(handle);
    if (!trace_) return settle(handle, end);
    trace_->came(response_);
    const bool again = settle(handle, end);
    trace_->tell(error_ ? &*error_ : nullptr);
    return again;
}

bool Exchange::settle(net::CurlHandle& handle, const End& end) {
    if (end.stop != CurlStop::none) {
        error_ = with_doubt(stopped(end.stop));
        return false;
    }
    if (abort_ != Abort::none) {
        error_ = aborted();
        return false;
    }
    if (end.code != CURLE_OK) {
        // A kept connection that the server had closed, and that libcurl did not replace by itself: nothing of an answer came, so ask anew.
        const bool unsent = end.code == CURLE_ABORTED_BY_CALLBACK && !is_connected();
        const bool cut = end.code == CURLE_SEND_ERROR || end.code == CURLE_RECV_ERROR || end.code == CURLE_GOT_NOTHING;
        if (!fresh_ && !opened_socket() && head_bytes_ == 0 && (unsent || (cut && may_repeat_))) {
            fresh_ = true;
            return true;
        }
        error_ = with_doubt(failed(handle, end));
        return false;
    }
    fresh_ = false;
    if (is_redirect()) return follow(handle);
    if (response_.status >= 400 && authorization_ && with_credentials_ && !renewed_ && settings_->options.authenticator->renews() &&
        authorization_->is_refused_by(response_)) {
        refused_ = authorization_;
        return false;
    }
    decide();
    return false;
}

void Exchange::gather(net::CurlHandle& handle) {
    CURL* easy = handle.easy();
    HttpCallInfo& info = response_.info;
    info.method = method_;
    info.url = static_cast<const Memo&>(*handle.memory).url;
    info.redirects = redirects_;
    info.connection_reused = !opened_socket() && is_connected();
    if (opened_socket()) {
        const auto resolve = time_of(easy, CURLINFO_NAMELOOKUP_TIME_T);
        const auto connect = time_of(easy, CURLINFO_CONNECT_TIME_T);
        const auto tls = time_of(easy, CURLINFO_APPCONNECT_TIME_T);
        info.resolve = resolve + lookup_time();
        info.connect = connect > resolve ? connect - resolve : std::chrono::nanoseconds{0};
        info.tls = tls > connect ? tls - connect : std::chrono::nanoseconds{0};
    }
    const auto first = time_of(easy, CURLINFO_STARTTRANSFER_TIME_T);
    const auto sent = time_of(easy, CURLINFO_PRETRANSFER_TIME_T);
    info.first_byte = first > sent ? first - sent : std::chrono::nanoseconds{0};
    const auto whole = time_of(easy, CURLINFO_TOTAL_TIME_T);
    info.receive = whole > first ? whole - first : std::chrono::nanoseconds{0};
    info.bytes_received = body_bytes_;
    info.bytes_sent = !has_body_ ? 0 : request_.body_from ? source_bytes_ : body_.size();
    info.total = Clock::now() - started_;
    if (target_.socket.empty()) {
        const char* address = nullptr;
        long port = 0;
        curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
        curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
        if (address != nullptr && *address != '\0') {
            const bool is_v6 = std::strchr(address, ':') != nullptr;
            info.remote_address.assign(is_v6 ? "[" : "").append(address).append(is_v6 ? "]:" : ":").append(std::to_string(port));
        }
    }
}

bool Exchange::follow(net::CurlHandle& handle) {
    static_cast<void>(handle);
    const HttpOptions& options = settings_->options;
    const std::string* location = response_.headers.find("Location");
    const std::string answered = what() + " was redirected (" + std::to_string(response_.status) + ")";
    if (redirects_ >= options.max_redirects) {
        error_ = with_response(make(HttpErrc::too_many_redirects,
                                    answered + ", but " + std::to_string(options.max_redirects) +
                                        " redirects is the limit; it may be a loop, or option max_redirects is too low",
                                    Phase::redirect, Reason::limit));
        return false;
    }
    if (location == nullptr || location->empty()) {
        error_ = with_response(
            make(HttpErrc::redirect, answered + " without a Location; report this to whoever runs the server", Phase::redirect, Reason::bad_answer));
        return false;
    }
    Target next;
    try {
        next = resolve_location(target_, *location);
    } catch (const Error& error) {
        error_ = with_response(make(HttpErrc::redirect, answered + ": " + std::string{error.message()}, Phase::redirect, Reason::bad_answer));
        return false;
    }
    const RedirectStep step = redirect_rule(options.redirects, response_.status, method_);
    if (!next.same_origin(target_)) {
        // For good: a way back to the first origin was chosen by a stranger.
        with_credentials_ = false;
        url_authorization_ = {};
    }
    if (step.to_get) {
        method_ = "GET";
        may_repeat_ = true;
        has_body_ = false;
        body_ = {};
    }
    redirected_from_ = target_.shown();
    target_ = std::move(next);
    ++redirects_;
    HttpResponse fresh;
    response_ = std::move(fresh);
    try {
        compose();
    } catch (const Error& error) {
        error_ = error;
        return false;
    }
    return true;
}

void Exchange::decide() {
    const HttpOptions& options = settings_->options;
    if (decoder_ && decoding_problem_.empty() && decoder_->finish() == CodingStatus::broken) decoding_problem_ = decoder_->problem();
    const bool bodyless = response_.body.empty() && body_bytes_ == 0;
    if (response_.status >= 400 && !options.error_passthru && (mode_.raise_status || response_.status == 407)) {
        error_ = status_error();
        return;
    }
    if (!decoding_problem_.empty() && !bodyless) {
        error_ = with_response(make(HttpErrc::coding,
                                    what() + ": the body of the answer (" + std::to_string(response_.status) +
                                        ") cannot be decoded: " + decoding_problem_ + "; clear accept_codings to receive it as it is",
                                    Phase::body, Reason::bad_answer));
    }
}

Phase Exchange::reached() const {
    if (is_connected()) return head_done_ ? Phase::body : Phase::head;
    if (!opened_socket()) return Phase::resolve;
    if (target_.tls && tls_report_) return Phase::tls;
    return proxy_tls_report_ || (tunnels() && had_transport()) ? Phase::proxy : Phase::connect;
}

bool Exchange::tunnels() const { return proxy_ != nullptr && (target_.tls || proxy_->is_socks()); }

std::string Exchange::proxy_words() const { return "the proxy " + net::authority(proxy_->host, proxy_->port); }

std::string Exchange::what() const {
    std::string out = method_ + " " + target_.shown();
    if (!settings_->options.label.empty()) out += " for \"" + settings_->options.label + "\"";
    if (redirects_ != 0) out += " (redirected from " + redirected_from_ + ")";
    return out;
}

Error Exchange::make(HttpErrc code, const std::string& message, Phase phase, Reason reason) const {
    return make_http_error(code, message, redirects_ != 0 && phase != Phase::none ? Phase::redirect : phase, reason, settings_->options.label);
}

Error Exchange::with_response(Error error) {
    error.with_detail(std::make_shared<HttpErrorDetail>(std::move(response_)));
    return error;
}

Error Exchange::with_doubt(Error error) const {
    if (may_repeat_ || !is_connected() || !error.retryable()) return error;
    error.with_prefix("the server may have carried this out, so it was not sent again: ");
    error.with_retryable(false);
    return error;
}

Error Exchange::stopped(CurlStop stop) {
    const Phase phase = reached();
    const std::string where{phase_words(phase)};
    if (stop == CurlStop::cancelled) { return make(HttpErrc::cancelled, what() + " was cancelled during: " + where, phase, Reason::cancelled); }
    std::string message = what();
    switch (stop) {
        case CurlStop::connect_timeout:
            message += ": no connection within " + seconds(connect_timeout_) + " (option connect_timeout); it ended during: " + where +
                       ". Check host, port and network, or whether a firewall drops packets";
            break;
        case CurlStop::silence:
            message += ": the server was silent for " + seconds(silence_) + " (option timeout) during: " + where;
            if (body_bytes_ != 0) message += ", after " + std::to_string(body_bytes_) + " bytes";
            message += ". Raise the time-out if the server needs longer";
            break;
        default: {
            const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - started_);
            message += ": the deadline of the call passed after " + std::to_string(took.count()) + " ms during: " + where;
        }
    }
    return make(HttpErrc::timeout, message, phase, Reason::timeout).with_retryable(true);
}

Error Exchange::aborted() {
    const HttpOptions& options = settings_->options;
    switch (abort_) {
        case Abort::head_too_large:
            return make(HttpErrc::limit, what() + ": the head of the answer is larger than " + std::to_string(options.max_head) + " bytes (max_head)",
                        Phase::head, Reason::limit);
        case Abort::body_too_large:
            response_.body.clear();
            return with_response(make(HttpErrc::limit,
                                      what() + ": the body of the answer is larger than " + std::to_string(options.max_body) +
                                          " bytes (max_body); it was not read to its end",
                                      Phase::body, Reason::limit));
        case Abort::expansion:
            response_.body.clear();
            return with_response(make(HttpErrc::limit,
                                      what() + ": the body of the answer grows more than " + std::to_string(options.max_expansion) +
                                          "-fold when it is decoded (max_expansion); it may be made to exhaust memory",
                                      Phase::body, Reason::limit));
        case Abort::tls: {
            Error error = tls_problem_ ? *tls_problem_ : make(HttpErrc::tls, what() + ": TLS could not be set up", Phase::tls, Reason::handshake);
            return error;
        }
        case Abort::source:
        case Abort::sink: {
            Error error = body_problem_ ? *body_problem_ : make(HttpErrc::body, what() + ": there is no memory", Phase::body, Reason::local);
            if (error.connection().empty()) error.with_connection(options.label);
            return error;
        }
        default:
            response_.body.clear();
            if (response_.status >= 400 && !options.error_passthru && mode_.raise_status) return status_error();
            return with_response(make(HttpErrc::coding,
                                      what() + ": the body of the answer (" + std::to_string(response_.status) +
                                          ") cannot be decoded: " + decoding_problem_ + "; clear accept_codings to receive it as it is",
                                      Phase::body, Reason::bad_answer));
    }
}

std::optional<Error> Exchange::proxy_refusal(net::CurlHandle& handle) {
    long code = 0;
    curl_easy_getinfo(handle.easy(), CURLINFO_HTTP_CONNECTCODE, &code);
    if (is_connected() || code / 100 == 2 || code == 0) return std::nullopt;
    const bool with_login = !proxy_->username.empty() || !proxy_->password.empty();
    net::ProxyRefusal refusal = net::refusal_of_status(static_cast<int>(code), with_login);
    long offered = 0;
    curl_easy_getinfo(handle.easy(), CURLINFO_PROXYAUTH_AVAIL, &offered);
    const auto allowed = static_cast<long>(net::curl_auth(*proxy_));
    if (refusal == net::ProxyRefusal::wrong_login && offered != 0 && (offered & allowed) == 0) refusal = net::ProxyRefusal::other_login;
    return proxy_failure(refusal, "answered CONNECT with " + std::to_string(code));
}

Error Exchange::proxy_failure(net::ProxyRefusal refusal, const std::string& heard) const {
    const net::RefusalMeaning& meaning = net::meaning_of(refusal);
    const std::string message =
        what() + ": opening a tunnel to " + target_.authority() + ": " + proxy_words() + " " + heard + "; " + std::string{meaning.words};
    return make(HttpErrc::proxy, message, Phase::proxy, meaning.reason).with_retryable(meaning.retryable);
}

Error Exchange::no_address(std::string_view host, HttpErrc code, const std::string& words) const {
    static const net::Resolved k_not_ours;  // what libcurl looked up: the target of a SOCKS proxy
    const net::Resolved& answer = host == host_ ? resolved() : k_not_ours;
    const bool unknown = answer.reason == Reason::none || answer.reason == Reason::unknown_host;
    return make(code,
                what() + ": the name \"" + std::string{host} + (unknown ? "\" has no address (" : "\" could not be looked up (") +
                    (answer.words.empty() ? words : answer.words) + "); check " + (unknown ? "its spelling, or " : "") +
                    "the name service of this machine",
                Phase::resolve, unknown ? Reason::unknown_host : answer.reason)
        .with_retryable(true);
}

Error Exchange::failed(net::CurlHandle& handle, const End& end) {
    // On its way to a new connection, for a request that may not be repeated, libcurl is stopped by the driver, or fails by itself.
    static constexpr std::array k_before_sending{CURLE_COULDNT_CONNECT, CURLE_ABORTED_BY_CALLBACK, CURLE_COULDNT_RESOLVE_HOST,
                                                 CURLE_COULDNT_RESOLVE_PROXY};
    if (!may_repeat_ && is_connected() && std::find(k_before_sending.begin(), k_before_sending.end(), end.code) != k_before_sending.end()) {
        return make(HttpErrc::receive, what() + ": the kept connection was cut before any byte of the answer came", Phase::head, Reason::closed)
            .with_retryable(true);
    }
    const std::string words = in_words(end.words, end.code);
    Phase phase = reached();
    // What libcurl cannot open it says to be CURLE_COULDNT_CONNECT: any other failure below TLS came from the proxy.
    if (phase == Phase::connect && tunnels() && end.code != CURLE_COULDNT_CONNECT && end.code != CURLE_OPERATION_TIMEDOUT) phase = Phase::proxy;
    long system_error = 0;
    curl_easy_getinfo(handle.easy(), CURLINFO_OS_ERRNO, &system_error);
    const bool has_proxy = proxy_ != nullptr;
    if (has_proxy) {
        if (std::optional<Error> refusal = proxy_refusal(handle)) return *refusal;
    }
    const std::string way = has_proxy                 ? proxy_words()
                            : !target_.socket.empty() ? "the UNIX socket " + target_.socket
                                                      : target_.host + ":" + std::to_string(target_.port);
    switch (end.code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY: return no_address(host_, has_proxy ? HttpErrc::proxy : HttpErrc::connect, words);
        case CURLE_PROXY: {
            long code = 0;
            curl_easy_getinfo(handle.easy(), CURLINFO_PROXY_ERROR, &code);
            if (code == CURLPX_RESOLVE_HOST) return no_address(target_.host, HttpErrc::connect, words);
            const bool with_login = !proxy_->username.empty() || !proxy_->password.empty();
            return proxy_failure(net::refusal_of_curl(code, with_login), "ended it (" + words + ")");
        }
        case CURLE_COULDNT_CONNECT: {
            // Not one of the addresses was of the family that may be used.
            if (!opened_socket()) return no_address(host_, has_proxy ? HttpErrc::proxy : HttpErrc::connect, words);
            if (const int error = binding_error(); error != 0) {
                const std::string why = net::binding_words(settings_->options.socket, error);
                return make(HttpErrc::connect, what() + ": connecting to " + way + " failed: " + why, Phase::connect, Reason::local)
                    .with_retryable(true);
            }
            Reason reason = Reason::unreachable;
            std::string advice = "; check host, port and network";
            switch (system_error) {
                case ECONNREFUSED:
                    reason = Reason::refused;
                    advice = "; nothing listens there: is the server running, is the port right?";
                    break;
                case ETIMEDOUT: reason = Reason::timeout; break;
                case ECONNRESET: reason = Reason::reset; break;
                case ENOENT:
                    reason = Reason::refused;
                    advice = "; there is no such socket: is the server running?";
                    break;
                case EACCES:
                case EPERM: reason = Reason::permission; break;
                case EMFILE:
                case ENFILE:
                case ENOBUFS:
                case EADDRNOTAVAIL:
                    reason = Reason::local;
                    advice = "; this machine has run out of descriptors, ports or buffers";
                    break;
                default: break;
            }
            const std::string why = system_error != 0 ? std::generic_category().message(static_cast<int>(system_error)) : words;
            return make(has_proxy ? HttpErrc::proxy : HttpErrc::connect, what() + ": connecting to " + way + " failed: " + why + advice,
                        Phase::connect, reason)
                .with_retryable(true);
        }
        case CURLE_OPERATION_TIMEDOUT: return stopped(deadline_.has_passed() ? CurlStop::deadline : CurlStop::connect_timeout);
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ENGINE_INITFAILED:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_CLIENTCERT: {
            const bool with_proxy = phase == Phase::proxy;
            const auto& report = with_proxy ? proxy_tls_report_ : tls_report_;
            std::optional<Error> refusal = report ? report->refusal() : std::nullopt;
            if (with_proxy) {
                const Error known = refusal ? *refusal : net::tls_error(words, settings_->options.label, net::authority(proxy_->host, proxy_->port));
                return make(HttpErrc::proxy, what() + ": TLS with " + way + ": " + std::string{known.message()}, Phase::proxy, known.reason())
                    .with_retryable(known.retryable());
            }
            const Error known =
                refusal ? *refusal : net::tls_error(words, settings_->options.label, target_.host + ":" + std::to_string(target_.port));
            Error error = make(HttpErrc::tls, what() + ": " + std::string{known.message()}, Phase::tls, known.reason());
            return error.with_retryable(known.retryable());
        }
        case CURLE_GOT_NOTHING:
            return make(HttpErrc::receive, what() + ": " + way + " closed the connection without an answer; see the server's log", phase,
                        Reason::closed)
                .with_retryable(true);
        case CURLE_PARTIAL_FILE:
            return with_response(make(HttpErrc::receive,
                                      what() + ": the connection was closed within the body of the answer, after " + std::to_string(body_bytes_) +
                                          " bytes (" + words + ")",
                                      phase, Reason::closed)
                                     .with_retryable(true));
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR: {
            const bool too_large = words.find("oo large response headers") != std::string::npos || words.find("header size") != std::string::npos;
            if (too_large) return make(HttpErrc::limit, what() + ": the head of the answer is too large (" + words + ")", Phase::head, Reason::limit);
            if (phase == Phase::tls) {
                const Error known = net::tls_error(words, settings_->options.label, target_.host + ":" + std::to_string(target_.port));
                return make(HttpErrc::tls, what() + ": " + std::string{known.message()}, Phase::tls, known.reason()).with_retryable(true);
            }
            const bool reset = system_error == ECONNRESET || system_error == EPIPE || words.find("reset") != std::string::npos ||
                               words.find("roken pipe") != std::string::npos;
            const HttpErrc code = phase == Phase::proxy ? HttpErrc::proxy : HttpErrc::receive;
            return make(code, what() + ": the connection was cut during: " + std::string{phase_words(phase)} + " (" + words + ")", phase,
                        reset ? Reason::reset : Reason::closed)
                .with_retryable(true);
        }
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return make(HttpErrc::receive, what() + ": HTTP/2 failed (" + words + "); option http_version 1.1 may help", phase, Reason::bad_answer)
                .with_retryable(true);
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_CHUNK_FAILED:
        case CURLE_BAD_CONTENT_ENCODING:
            return make(HttpErrc::receive,
                        what() + ": what came back is not HTTP, or broken (" + words + "); does another kind of server listen on this port?", phase,
                        Reason::bad_answer);
        case CURLE_OUT_OF_MEMORY:
            // libcurl says this of one line of a head above 100 KiB as well.
            if (head_bytes_ != 0 || is_connected())
                return make(HttpErrc::limit, what() + ": a line of the head of the answer is too long (" + words + ")", Phase::head, Reason::limit);
            return make(HttpErrc::receive, what() + ": this machine is out of memory", phase, Reason::local);
        case CURLE_URL_MALFORMAT: return make(HttpErrc::url, what() + ": the URL cannot be used (" + words + ")", Phase::none, Reason::bad_value);
        default: {
            const HttpErrc code = phase == Phase::proxy     ? HttpErrc::proxy
                                  : phase == Phase::tls     ? HttpErrc::tls
                                  : phase == Phase::connect ? HttpErrc::connect
                                                            : HttpErrc::receive;
            return make(code, what() + " failed during: " + std::string{phase_words(phase)} + " (" + words + ")", phase,
                        phase == Phase::tls ? Reason::handshake : Reason::bad_answer);
        }
    }
}

Error Exchange::status_error() {
    Error error = http::status_error(*settings_, response_, what());
    if (redirects_ != 0) error.with_phase(Phase::redirect);
    return with_response(std::move(error));
}

Result<HttpResponse> Exchange::take_result() {
    if (error_) return std::move(*error_);
    return std::move(response_);
}

}  // namespace qconn::http
