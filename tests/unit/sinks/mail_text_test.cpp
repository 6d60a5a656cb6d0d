// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "sinks/back_off.hpp"
#include "sinks/mail_text.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace std::chrono_literals;

namespace {

monitor::Backlog::Item event(EventKind kind, std::string name, std::string error = {}) {
    auto made = std::make_shared<Event>();
    made->kind = kind;
    made->name = std::move(name);
    made->error = std::move(error);
    made->time = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1} + 10h;
    if (kind == EventKind::alert || kind == EventKind::alert_cleared) made->alert = "USER-CONNECTION-UNAVAILABLE";
    return made;
}

}  // namespace

TEST_CASE("a mail about one event has it for a subject, one about several what they are", "[sinks][smtp]") {
    const MailMessage one = sinks::mail_of({event(EventKind::alert, "shop", "CONNECT-ERROR: no\nline")}, 10, "[qconn]");
    CHECK(one.subject == "[qconn] \"shop\" has an alert, USER-CONNECTION-UNAVAILABLE: CONNECT-ERROR: no\\nline");
    CHECK(one.text == "2026-05-01 10:00:00 UTC  \"shop\" has an alert, USER-CONNECTION-UNAVAILABLE: CONNECT-ERROR: no\\nline\n");
    CHECK(one.headers.front().first == "Auto-Submitted");
    const MailMessage several =
        sinks::mail_of({event(EventKind::alert, "shop"), event(EventKind::alert, "files"), event(EventKind::alert_cleared, "shop")}, 10, "");
    CHECK(several.subject == "2 alerts, 1 cleared: shop, files");
}

TEST_CASE("a mail about a hundred tells some one by one and counts the rest", "[sinks][smtp]") {
    std::vector<monitor::Backlog::Item> all;
    for (int i = 0; i < 100; ++i) all.push_back(event(EventKind::alert, "c" + std::to_string(i)));
    const MailMessage mail = sinks::mail_of(all, 20, "[x]");
    CHECK(mail.subject.starts_with("[x] 100 alerts: c0, c1"));
    CHECK(mail.text.find("\"c19\"") != std::string::npos);
    CHECK(mail.text.find("\"c20\"") == std::string::npos);
    CHECK(mail.text.ends_with("and 80 more events\n"));
}

TEST_CASE("waits between tries double up to the longest", "[sinks][smtp]") {
    CHECK(sinks::back_off(1, 10s, 600s) == 10s);
    CHECK(sinks::back_off(3, 10s, 600s) == 40s);
    CHECK(sinks::back_off(100, 10s, 600s) == 600s);
}
