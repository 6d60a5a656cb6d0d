// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/log.hpp>

#include "integration/net/pinging.hpp"
#include "integration/net/proxy_suite.hpp"
#include "integration/net/socket_suite.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

StartErrand over(const Runtime& runtime, bool keep = false) {
    return [&runtime, keep](const Errand& errand, std::function<void(ErrandOutcome)> done) {
        TlsOptions tls;
        tls.ca_file = tls_file("ca.crt");
        Endpoint to = errand.tls ? endpoint(errand.host, errand.port, tls) : endpoint(errand.host, errand.port);
        if (errand.proxy) to.proxy = std::make_shared<const Proxy>(*errand.proxy);
        to.socket = std::make_shared<const SocketOptions>(errand.socket);
        NetPing plan{.endpoint = to, .dialogue = get("/hello.txt"), .keep = keep, .start_tls = nullptr};
        return net::async_ping(runtime, PingPlan{std::move(plan)}, "test", errand.deadline, true,
                               [done = std::move(done)](Result<PingResult> result) {
                                   const std::optional<Error>& error = result ? result.value().error : result.error();
                                   ErrandOutcome outcome;
                                   outcome.ok = !error;
                                   if (error) outcome = {false, error->phase(), error->reason(), error->what()};
                                   done(std::move(outcome));
                               });
    };
}

Runtime quiet() { return Runtime{RuntimeOptions{.log = Log{LogLevel::off, {}}}}; }

}  // namespace

TEST_CASE("our own dialer through proxies that work", "[net][proxy][integration]") {
    const Runtime runtime = quiet();
    check_proxies_that_work(over(runtime));
}

TEST_CASE("our own dialer through proxies that refuse", "[net][proxy][integration]") {
    const Runtime runtime = quiet();
    check_proxies_that_refuse(over(runtime));
}

TEST_CASE("our own dialer through proxies that break", "[net][proxy][integration]") {
    const Runtime runtime = quiet();
    check_proxies_that_break(over(runtime));
}

TEST_CASE("socket options over our own dialer", "[net][socket][integration]") {
    const Runtime runtime = quiet();
    check_socket_options(over(runtime, true));  // one that lasts: for one exchange nothing is kept alive
}
