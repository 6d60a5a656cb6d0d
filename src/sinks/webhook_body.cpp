// SPDX-License-Identifier: Apache-2.0
#include "sinks/webhook_body.hpp"

#include <qconn/http/http_client.hpp>
#include <qconn/monitor/to_value.hpp>

#include "base/json.hpp"

namespace qconn::sinks {

std::string webhook_body(std::string_view run, std::uint64_t dropped, const std::vector<monitor::Backlog::Item>& events) {
    List list;
    list.reserve(events.size());
    for (const auto& event : events) list.push_back(to_value(*event));
    return json::encode(Map{{"run", run}, {"dropped", dropped}, {"events", std::move(list)}});
}

Verdict judge(const Error& error, std::size_t events) {
    const auto* answer = error.detail<HttpErrorDetail>();
    const int status = answer == nullptr ? 0 : answer->response.status;
    // Also credentials and paths that are wrong can be put right.
    if (status != 400 && status != 413 && status != 422) return Verdict::again;
    return events > 1 ? Verdict::halve : Verdict::refuse;
}

}  // namespace qconn::sinks
