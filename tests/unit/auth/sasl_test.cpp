// SPDX-License-Identifier: Apache-2.0
#include "auth/sasl.hpp"

#include <string>

#include <qconn/base/error.hpp>

#include "support/catch.hpp"

using namespace qconn;

TEST_CASE("SASL says what the specifications' own examples say", "[sasl]") {
    CHECK(sasl::plain("", "tim", "tanstaaftanstaaf").reveal() == std::string_view{"\0tim\0tanstaaftanstaaf", 21});  // RFC 4616 section 4
    CHECK(sasl::plain("Ursel", "Kurt", "xipj3plmq").reveal() == std::string_view{"Ursel\0Kurt\0xipj3plmq", 20});
    // RFC 2195 section 2
    CHECK(sasl::cram_md5("<1896.697170952@postoffice.reston.mci.net>", "tim", "tanstaaftanstaaf").reveal() == "tim b913a602c7eda7a495b4e6e7334d3890");
    CHECK(sasl::xoauth2("someuser@example.com", "ya29.vF9dft4").reveal() ==
          "user=someuser@example.com\x01"
          "auth=Bearer ya29.vF9dft4\x01\x01");
}

TEST_CASE("SASL refuses a NUL within a name, which would move the password's beginning", "[sasl]") {
    CHECK_THROWS_AS(sasl::plain("", std::string_view{"a\0b", 3}, "x"), Error);
    CHECK_THROWS_AS(sasl::plain("", "a", std::string_view{"x\0", 2}), Error);
}
