// SPDX-License-Identifier: Apache-2.0
/// What a connection says over HTTP, shown on standard error.
#pragma once

#include <memory>
#include <string>

namespace qconn {
struct HttpTraceEvent;
}

namespace qconn::cli {

/// Shows them for as long as it lives. In a build without HTTP there are none.
class Exchanges {
public:
    explicit Exchanges(const std::string& connection);
    Exchanges(const Exchanges&) = delete;
    Exchanges& operator=(const Exchanges&) = delete;
    ~Exchanges();
    /// Whether there was one.
    bool any() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Lines with `> ` before what was sent, `< ` before what came, `* ` before what is told about it; secrets are masked, nothing steers a terminal.
std::string exchange_text(const HttpTraceEvent& event);

}  // namespace qconn::cli
