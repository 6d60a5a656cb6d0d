// SPDX-License-Identifier: Apache-2.0
/// Secrets taken out of what a call says over HTTP.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <qconn/http/http_client.hpp>

#include "base/redaction.hpp"

namespace qconn::http {

/// Of one call: what is masked in one text of it is taken out of those that follow.
/// @note One thread at a time.
class TraceMask {
public:
    /// @param known  takes out of a text what is known to be secret
    explicit TraceMask(std::function<std::string(std::string)> known = {}) : known_{std::move(known)} {}

    std::string url(std::string_view url);
    Headers headers(const Headers& headers);
    /// As it may be shown, not longer than `most` bytes.
    std::string body(std::string_view body, std::string_view content_type, std::size_t most);
    std::string text(std::string text) const;

private:
    /// Appends the mask for a value, and remembers that. @param sure  also where it is short
    void mask(std::string& out, std::string_view value, bool sure);
    std::string header(std::string_view name, std::string_view value);
    std::string form(std::string_view text);
    std::string json(std::string_view text);
    std::string xml(std::string_view text);
    std::string lines(std::string_view text);

    std::function<std::string(std::string)> known_;
    Redaction found_;
};

}  // namespace qconn::http
