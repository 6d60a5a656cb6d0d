// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <thread>
#include <vector>

#include <qconn/testing/diary.hpp>

#include "support/catch.hpp"

using namespace qconn;
using qconn::testing::Diary;
using namespace std::chrono_literals;

TEST_CASE("a diary has what its interfaces were asked to do, in order", "[testing][threads]") {
    const Diary diary;
    const InterfaceOptions orders = diary.options("orders");
    const InterfaceOptions gateway = diary.options("gateway", {"bus"});
    CHECK(orders.name == "orders");
    CHECK(gateway.provides == std::vector<std::string>{"bus"});

    std::thread other{[&] {
        orders.stop();
        gateway.stop();
        gateway.start();
    }};
    CHECK(diary.wait_for("-orders -gateway +gateway"));
    other.join();
    CHECK_FALSE(diary.wait_for("-orders", 1ms));
    diary.clear();
    CHECK(diary.text().empty());
    diary.add("lunch");
    orders.start();
    CHECK(diary.text() == "lunch +orders");
}
