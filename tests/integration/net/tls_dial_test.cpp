// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/log.hpp>

#include "integration/net/pinging.hpp"
#include "integration/net/tls_suite.hpp"
#include "net/tls_context.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

TEST_CASE("TLS options over our own dialer", "[net][tls][integration]") {
    const Runtime runtime{RuntimeOptions{.log = Log{LogLevel::off, {}}}};

    check_every_tls_field([&](const TlsOptions& options) -> TlsClient {
        return
            [&runtime, shared = std::make_shared<const TlsOptions>(options)](const std::string& host, std::uint16_t port, const std::string& path) {
                Endpoint to = endpoint(host, port);
                to.tls = shared;
                const auto result = ping(runtime, {.endpoint = to, .dialogue = get(path), .keep = false, .start_tls = nullptr});
                TlsOutcome outcome;
                outcome.ok = result.ok;
                if (result.error) {
                    outcome.reason = result.error->reason();
                    outcome.message = result.error->what();
                    CHECK(result.error->connection() == "test");
                    CHECK(result.error->phase() == (outcome.reason == Reason::status ? Phase::protocol : Phase::tls));
                }
                if (result.tls) outcome.info = *result.tls;
                return outcome;
            };
    });
}
