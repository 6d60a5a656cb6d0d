// SPDX-License-Identifier: Apache-2.0
#include "monitor/exposition.hpp"

#include <string>

#include "support/catch.hpp"

using namespace qconn::monitor;

TEST_CASE("families of samples in the text format", "[monitor][metrics]") {
    Exposition out;
    out.family("qconn_up", MetricType::gauge, "Whether.");
    out.sample({{"connection", "shop"}, {"state", "up"}}, std::uint64_t{1});
    out.family("qconn_pings_total", MetricType::counter, "How many.");
    out.sample({}, std::uint64_t{18446744073709551615U});
    out.sample({{"a", "b"}}, 0.0015);
    CHECK(out.take() ==
          "# HELP qconn_up Whether.\n# TYPE qconn_up gauge\nqconn_up{connection=\"shop\",state=\"up\"} 1\n"
          "# HELP qconn_pings_total How many.\n# TYPE qconn_pings_total counter\nqconn_pings_total 18446744073709551615\n"
          "qconn_pings_total{a=\"b\"} 0.0015\n");
}

TEST_CASE("values of labels may be any text", "[monitor][metrics]") {
    Exposition out;
    out.family("a", MetricType::gauge, "b");
    out.sample({{"n", "say \"hi\"\\\n\xFF\xC3\xA9"}}, std::uint64_t{0});
    CHECK(out.take().ends_with("a{n=\"say \\\"hi\\\"\\\\\\n\xEF\xBF\xBD\xC3\xA9\"} 0\n"));
}
