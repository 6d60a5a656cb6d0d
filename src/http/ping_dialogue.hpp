// SPDX-License-Identifier: Apache-2.0
/// A ping that is one HTTP/1.1 request.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/http/http_client.hpp>
#include <qconn/net/dialogue.hpp>

#include "http/response_parser.hpp"

namespace qconn::http {

/// Which answers are success.
enum class PingProof : std::uint8_t {
    success,  ///< 2xx
    login,    ///< all but 401, 403 and 407
    reached,  ///< by way of a proxy: all that the target made, and of those that the proxy made all but a refusal or a failure to reach the target
};

/// What is wrong with the body of an answer: "… was answered with 200 OK, but " and these words.
struct BodyProblem {
    std::string words;
    Reason reason{Reason::bad_answer};
};
/// Nothing where it is as it should be.
using BodyCheck = std::function<std::optional<BodyProblem>(std::string_view body)>;

/// Why an answer of the target is no success: REST-PING-ERROR, as said at make_http_ping. None where it is.
/// @param what  "GET /health"
std::optional<Error> ping_refusal(PingProof proof, std::string_view what, int status, std::string_view status_line);

/// What is asked. A value type.
struct HttpPingRequest {
    std::string method{"GET"};
    /// Path and query as they stand in the request line, or "*".
    std::string target{"/"};
    /// Value of the Host header.
    std::string host;
    /// Added; one of these replaces a default of the same name. Content-Length, Transfer-Encoding and Connection are ours.
    Headers headers{};
    std::string body{};
    /// Reads the whole answer, so that the stream can be used again. False: the head is the proof, the stream ends.
    bool keep{true};
    PingProof proof{PingProof::success};
    ResponseLimits limits{};
    /// Of the body; a longer one ends the ping well, but not the stream.
    std::size_t max_body{std::size_t{1024} * 1024};
    /// Of a 2xx answer whose body is no longer than that. Empty: the status is the proof.
    BodyCheck check{};
};

/// A request, checked and written out once for all pings of a plan. Copies share it; NetPing::dialogue takes one as it is. A value type.
/// @note Where an answer is no success the step's error is REST-PING-ERROR: 401 and 403 in phase auth, 407 and what a proxy says for itself in phase
/// proxy, other statuses in phase protocol with reason status; what is no HTTP has reason bad_answer, an early end reason closed.
class HttpPings {
public:
    /// @throws Error HTTP-CLIENT-OPTION-ERROR where a part of it cannot be sent
    explicit HttpPings(const HttpPingRequest& request);
    std::unique_ptr<Dialogue> operator()() const;

    struct Written;

private:
    std::shared_ptr<const Written> request_;
};

/// One of them.
inline std::unique_ptr<Dialogue> make_http_ping(const HttpPingRequest& request) { return HttpPings{request}(); }

}  // namespace qconn::http
