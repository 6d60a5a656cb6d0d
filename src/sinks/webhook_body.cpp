// SPDX-License-Identifier: Apache-2.0
#include "sinks/webhook_body.hpp"

#include <algorithm>

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

std::chrono::milliseconds back_off(int failures, std::chrono::milliseconds first, std::chrono::milliseconds longest) noexcept {
    const auto doubled = first * (std::int64_t{1} << std::clamp(failures - 1, 0, 20));
    return std::min(doubled, longest);
}

}  // namespace qconn::sinks
