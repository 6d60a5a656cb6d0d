// SPDX-License-Identifier: Apache-2.0
// The example order_house over five real servers, which are killed and started again; its timeline is what the rules of the monitor say.
#include <algorithm>
#include <csignal>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_enough = 60s;

/// The lines of the program, as they come.
class Timeline {
public:
    explicit Timeline(const Estate& estate)
        : process_{{std::string{QCONN_EXAMPLES} + "/3_whole_programs/order_house", {estate.directory.path()}, {}, {}}} {}

    /// Reads until each of these has come ("down bank (connect, refused)", "stop payments"), in whatever order. @returns what came, in order
    std::vector<std::string> until(std::set<std::string> wanted) {
        std::vector<std::string> came;
        while (!wanted.empty()) {
            const auto line = process_.line(k_enough);
            if (!line) break;
            came.push_back(what(*line));
            wanted.erase(came.back());
        }
        INFO(text(came));
        CAPTURE(wanted);
        CHECK(wanted.empty());
        return came;
    }
    Outcome end() {
        process_.signal(SIGTERM);
        return process_.finish();
    }
    /// A line without its number; numbers go up by one.
    std::string what(const std::string& line) {
        const auto space = line.find(' ');
        const auto number = std::stoull(line.substr(0, space));
        if (last_ != 0) CHECK(number == last_ + 1);
        last_ = number;
        return line.substr(space + 1);
    }
    static std::string text(const std::vector<std::string>& lines) {
        std::string all;
        for (const auto& line : lines) all += line + '\n';
        return all;
    }

private:
    Process process_;
    unsigned long long last_{0};
};

/// Those lines that begin with that word, in order.
std::vector<std::string> of(const std::vector<std::string>& lines, const std::string& word) {
    std::vector<std::string> found;
    for (const auto& line : lines)
        if (line.starts_with(word + ' ')) found.push_back(line);
    return found;
}

std::vector<std::string> sorted(std::vector<std::string> lines) {
    std::sort(lines.begin(), lines.end());
    return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("order_house: five servers die and return, and each time exactly what needs them stops and starts", "[examples][integration]") {
    Server shop{"nginx"};
    Server bank{"nginx"};
    Server stock{"httpbin"};
    Server notices{"hook"};
    Server tunnel{"tinyproxy", {.environment = {"PROXY_AUTH=none"}}};
    const Estate estate;
    const TempDir inbox;
    const TempDir ledger;
    estate.add("shop", "rest://" + shop.address(), "options: {ping_method: GET, ping_path: /hello.txt}\n");
    estate.add("bank", "https://" + bank.address2(), "options: {ssl_ca_file: '" + tls_file("ca.crt") + "'}\n");
    estate.add("stock", "rest://" + stock.address(), "options: {ping_method: GET, ping_path: /status/200}\n");
    estate.add("notices", "http://" + notices.address());
    // Through the proxy, to a server that lives.
    for (const char* name : {"partner", "partner-files"})
        estate.add(name, "https://" + shop.address2(),
                   "options: {proxy: 'http://" + tunnel.address() + "', ssl_ca_file: '" + tls_file("ca.crt") + "'}\n");
    estate.add("inbox", "file://" + inbox.path());
    estate.add("ledger", "file://" + ledger.path());

    Timeline timeline{estate};
    const auto begun = timeline.until({"up shop", "up bank", "up stock", "up notices", "up partner", "up partner-files", "up inbox", "up ledger"});
    CHECK(of(begun, "up").size() == 8);
    CHECK(of(begun, "down").empty());

    // What offers something goes after those that need it, and comes back before them.
    bank.kill();
    auto came = timeline.until({"down bank (connect, refused)", "alert bank", "stop payments", "stop reconcile"});
    CHECK(of(came, "failing") == Lines{"failing bank"});
    CHECK(of(came, "stop") == Lines{"stop reconcile", "stop payments"});
    bank.start();
    came = timeline.until({"up bank", "alert-cleared bank", "start payments", "start reconcile"});
    CHECK(of(came, "start") == Lines{"start payments", "start reconcile"});

    // A server that is killed takes along only what needs it; who merely uses it runs on.
    notices.kill();
    came = timeline.until({"down notices (connect, refused)", "alert notices", "stop notifier"});
    CHECK(of(came, "stop") == Lines{"stop notifier"});
    notices.start();
    came = timeline.until({"up notices", "alert-cleared notices", "start notifier"});
    CHECK(of(came, "start") == Lines{"start notifier"});

    // One connection, a service and a job.
    stock.kill();
    came = timeline.until({"down stock (connect, refused)", "alert stock", "stop storefront", "stop restock"});
    CHECK(sorted(of(came, "stop")) == Lines{"stop restock", "stop storefront"});
    stock.start();
    came = timeline.until({"up stock", "alert-cleared stock", "start storefront", "start restock"});
    CHECK(sorted(of(came, "start")) == Lines{"start restock", "start storefront"});

    // Two connections behind one proxy are one outage with one alert.
    tunnel.kill();
    came = timeline.until({"stop restock", "stop reconcile", "outage " + tunnel.address() + ": partner, partner-files"});
    CHECK(of(came, "alert").size() == 1);
    CHECK(sorted(of(came, "down")) == Lines{"down partner (connect, refused)", "down partner-files (connect, refused)"});
    CHECK(of(came, "stop").size() == 2);
    tunnel.start();
    came = timeline.until({"start restock", "start reconcile", "outage-over " + tunnel.address()});
    CHECK(of(came, "alert-cleared").size() == 1);
    CHECK(sorted(of(came, "up")) == Lines{"up partner", "up partner-files"});

    // One that stops the storefront for two reasons: it starts once both are over.
    stock.kill();
    came = timeline.until({"down stock (connect, refused)", "alert stock", "stop storefront", "stop restock"});
    shop.kill();  // the partner too is behind it, though the proxy lives
    came = timeline.until({"down shop (connect, refused)", "stop reconcile"});
    CHECK(of(came, "stop") == Lines{"stop reconcile"});
    stock.start();
    came = timeline.until({"up stock", "alert-cleared stock"});
    CHECK(of(came, "start").empty());
    shop.start();
    came = timeline.until({"up shop", "up partner", "up partner-files", "start storefront", "start restock", "start reconcile"});
    CHECK(of(came, "start").size() == 3);
    INFO(Timeline::text(came));
    CHECK(of(came, "stop").empty());

    const Outcome outcome = timeline.end();
    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    std::istringstream lines{outcome.out};
    Lines stops;
    for (std::string line; std::getline(lines, line);)
        if (has(line, " stop ")) stops.push_back(line.substr(line.find("stop ") + 5));
    CHECK(sorted(stops) == Lines{"notifier", "payments", "reconcile", "restock", "storefront"});
    CHECK(std::find(stops.begin(), stops.end(), "reconcile") < std::find(stops.begin(), stops.end(), "payments"));
    CHECK(outcome.out.ends_with("all stopped\n"));
}
