// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/secret.hpp>

#include <sstream>
#include <string>
#include <utility>

#include "support/catch.hpp"

using qconn::Secret;

TEST_CASE("a secret is never printed", "[base][secret]") {
    std::ostringstream out;
    out << Secret{"canary"} << Secret{};
    CHECK(out.str() == "<masked><masked>");
}

TEST_CASE("a secret survives copies and moves", "[base][secret]") {
    Secret a{"canary"};
    Secret b{a};
    const Secret c{std::move(a)};
    CHECK(a.empty());  // NOLINT(bugprone-use-after-move): promised
    CHECK(b == c);
    b = Secret{"other"};
    CHECK_FALSE(b == c);
    b = c;
    CHECK(b.reveal() == "canary");
    CHECK(Secret{}.reveal().empty());
    CHECK(Secret{} == Secret{""});
}

TEST_CASE("wiping empties a string and what it held before", "[base][secret]") {
    std::string text(100, 'x');
    text.resize(10);
    const char* data = text.data();
    qconn::wipe(text);
    CHECK(text.empty());
    CHECK(data[0] == '\0');
}
