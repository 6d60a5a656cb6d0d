// SPDX-License-Identifier: Apache-2.0
/// What a monitor tells, posted to an HTTP server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <qconn/base/export.hpp>
#include <qconn/base/log.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/http/http_client.hpp>
#include <qconn/monitor/monitor.hpp>

namespace qconn {

struct WebhookOptions {
    /// Which events, and how many may wait while the server does not take them: then inner ones are left out, as SubscribeOptions says.
    SubscribeOptions events{};
    /// Joined to the URL of the client; may be empty.
    std::string path{};
    /// Most events in one post. At least 1.
    std::size_t batch{100};
    /// Longest time of a whole post.
    std::chrono::milliseconds timeout{10'000};
    /// Wait after a first failure; it doubles with each further one, up to the longest.
    std::chrono::milliseconds retry{500};
    std::chrono::milliseconds longest_retry{60'000};
    /// How long the destructor goes on posting what waits. Zero: not at all.
    std::chrono::milliseconds flush{2'000};
    /// Where it is told that posts fail, and that they are taken again. Default: the log of the process.
    Log log{};
};

/// What a webhook has done since it was made. A snapshot.
struct WebhookCounts {
    std::uint64_t posts{0};      ///< that were taken
    std::uint64_t failures{0};   ///< posts that were not
    std::uint64_t delivered{0};  ///< events
    std::uint64_t skipped{0};    ///< events that were left out as too many waited
    std::uint64_t dropped{0};    ///< events that the server refused
    std::size_t waiting{0};      ///< events
    std::string error{};         ///< what() of the last failure; empty since a post was taken
};

/// Posts events as JSON (docs/events.md) in their order, each until it is taken: at least once, so that a receiver tells what comes twice by `run`
/// and `seq`. Only an event that the server refuses for its content (400, 413, 422), also alone, is dropped, which is logged, counted and said in the
/// next post. It authenticates, goes through proxies and checks certificates as the client does. Posts are made on a thread of its own; the monitor
/// waits for nothing. A connection that a webhook posts to may be watched by the same monitor.
/// @note Thread-safe, but for the destructor. Monitor, registry and webhook may go in any order.
class QCONN_API WebhookSink {
public:
    /// To a connection of a registry, which is looked up for each post: `registry.get<HttpClient>("hook")`, of any scheme whose client is one.
    WebhookSink(Monitor& monitor, Ref<HttpClient> connection, WebhookOptions options = {});
    WebhookSink(Monitor& monitor, std::shared_ptr<HttpClient> client, WebhookOptions options = {});
    /// To a URL. @throws Error as HttpClient
    WebhookSink(Monitor& monitor, HttpOptions server, WebhookOptions options = {});
    WebhookSink(const WebhookSink&) = delete;
    WebhookSink& operator=(const WebhookSink&) = delete;
    /// Takes no more events, tries at once to post those that wait, and ends after `flush` at the latest. How many it left is logged.
    ~WebhookSink();

    WebhookCounts counts() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace qconn
