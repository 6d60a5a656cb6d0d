// SPDX-License-Identifier: Apache-2.0
#include "http/trace.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace qconn {

namespace {

struct TraceTable {
    std::atomic<std::size_t> count{0};
    std::mutex mutex;
    HttpTraces::List list;  // guarded by mutex
};

TraceTable& trace_table() {
    static TraceTable table;
    return table;
}

}  // namespace

/// Who looks, and how many are being told.
class HttpTracing::Tracer {
public:
    Tracer(std::string of, Callback callback, HttpTraceOptions given) : connection{std::move(of)}, options{given}, callback_{std::move(callback)} {}

    void tell(const HttpTraceEvent& event) {
        {
            const std::scoped_lock lock{mutex_};
            if (closed_ || !callback_) return;
            ++inside_;
        }
        try {
            callback_(event);
        } catch (...) {  // who looks on must not change what happens
        }
        const std::scoped_lock lock{mutex_};
        if (--inside_ == 0) left_.notify_all();
    }
    void close() {
        std::unique_lock lock{mutex_};
        closed_ = true;
        left_.wait(lock, [this] { return inside_ == 0; });
    }

    const std::string connection;
    const HttpTraceOptions options;

private:
    const Callback callback_;
    std::mutex mutex_;
    std::condition_variable left_;
    int inside_{0};       // guarded by mutex_
    bool closed_{false};  // guarded by mutex_
};

std::string_view to_string(HttpTraceCause cause) noexcept {
    switch (cause) {
        case HttpTraceCause::call: return "call";
        case HttpTraceCause::redirect: return "redirect";
        case HttpTraceCause::reconnect: return "reconnect";
        case HttpTraceCause::authorization: return "authorization";
    }
    return {};
}

HttpTracing::HttpTracing(std::string connection, Callback callback, HttpTraceOptions options)
    : tracer_{std::make_shared<Tracer>(std::move(connection), std::move(callback), options)} {
    HttpTraces::add(tracer_);
}

HttpTracing::~HttpTracing() {
    HttpTraces::remove(tracer_);
    tracer_->close();
}

HttpTraces::List HttpTraces::of(std::string_view connection) {
    TraceTable& table = trace_table();
    List found;
    if (table.count.load(std::memory_order_acquire) == 0) return found;
    const std::scoped_lock lock{table.mutex};
    for (const auto& one : table.list)
        if (one->connection.empty() || one->connection == connection) found.push_back(one);
    return found;
}

void HttpTraces::add(std::shared_ptr<HttpTracing::Tracer> tracer) {
    TraceTable& table = trace_table();
    const std::scoped_lock lock{table.mutex};
    table.list.push_back(std::move(tracer));
    table.count.store(table.list.size(), std::memory_order_release);
}

void HttpTraces::remove(const std::shared_ptr<HttpTracing::Tracer>& tracer) {
    TraceTable& table = trace_table();
    const std::scoped_lock lock{table.mutex};
    std::erase(table.list, tracer);
    table.count.store(table.list.size(), std::memory_order_release);
}

std::size_t HttpTraces::most_body(const List& list) {
    std::size_t most = 0;
    for (const auto& one : list) most = std::max(most, one->options.max_body);
    return most;
}

void HttpTraces::tell(const List& list, const HttpTraceEvent& event) {
    for (const auto& one : list) one->tell(event);
}

namespace http {

std::unique_ptr<TraceCall> TraceCall::begin(const std::shared_ptr<const Settings>& settings) {
    HttpTraces::List list = HttpTraces::of(settings->options.label);
    if (list.empty()) return nullptr;
    return std::unique_ptr<TraceCall>{new TraceCall{settings, std::move(list)}};
}

TraceCall::TraceCall(std::shared_ptr<const Settings> settings, HttpTraces::List list)
    : settings_{std::move(settings)},
      list_{std::move(list)},
      most_body_{HttpTraces::most_body(list_)},
      mask_{[settings = settings_](std::string text) { return redacted(settings->options.label, settings->redact(std::move(text))); }} {}

void TraceCall::sent(bool reconnected, int redirects, std::string_view method, std::string_view url, const Headers& headers, std::string_view body) {
    cause_ = !cause_                  ? HttpTraceCause::call
             : reconnected            ? HttpTraceCause::reconnect
             : redirects > redirects_ ? HttpTraceCause::redirect
                                      : HttpTraceCause::authorization;
    redirects_ = redirects;
    request_.method = method;
    request_.headers = mask_.headers(headers);  // first: what is masked here may stand in the others
    request_.path = mask_.url(url);
    request_.body = mask_.body(body, headers.get("Content-Type"), most_body_);
    request_bytes_ = body.size();
}

void TraceCall::came(const HttpResponse& response) {
    response_.status = response.status;
    response_.reason = mask_.text(response.reason);
    response_.headers = mask_.headers(response.headers);
    response_.body = mask_.body(response.body, response.headers.get("Content-Type"), most_body_);
    response_.info = response.info;
    response_.info.url = request_.path;
    response_bytes_ = response.body.size();
}

void TraceCall::tell(const Error* error) {
    const std::string words = error != nullptr ? mask_.text(std::string{error->message()}) : std::string{};
    HttpTraces::tell(list_, {settings_->options.label, *cause_, request_, request_bytes_, response_, response_bytes_, words});
}

}  // namespace http

}  // namespace qconn
