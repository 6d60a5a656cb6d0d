// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>

#include "base/base64.hpp"
#include "base/scalar_text.hpp"
#include "support/catch.hpp"

using namespace qconn;

TEST_CASE("base64 has the vectors of RFC 4648", "[base64]") {
    const char* const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    const char* const coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (std::size_t i = 0; i < 7; ++i) {
        CHECK(base64::encode(plain[i]) == coded[i]);
        CHECK(base64::decode(coded[i]) == std::string{plain[i]});
    }
}

TEST_CASE("base64 takes line breaks and missing padding, and nothing that is wrong", "[base64]") {
    CHECK(base64::decode("Zm9v\r\n Ym Fy\n") == std::string{"foobar"});
    CHECK(base64::decode("Zg") == std::string{"f"});
    CHECK(base64::decode("Zm8") == std::string{"fo"});
    for (const char* bad : {"Z", "Zm9vY", "Zm9v=", "Zg=", "Zg===", "Zg==Zg==", "Zm9v!", "Zh==", "Zm9=", "=", "Zm9v\xC3\xA4", "-_-_"})
        CHECK_FALSE(base64::decode(bad));
}

TEST_CASE("every byte survives base64", "[base64]") {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    for (std::size_t n = 0; n <= all.size(); ++n) CHECK(base64::decode(base64::encode(std::string_view{all}.substr(n))) == all.substr(n));
}

TEST_CASE("numbers keep every digit", "[number]") {
    CHECK(text::number("18446744073709551615").as_uint64() == UINT64_MAX);
    CHECK(text::number("18446744073709551616") == Value::decimal("18446744073709551616"));
    CHECK(text::number("-9223372036854775808").as_int64() == INT64_MIN);
    CHECK(text::number("-9223372036854775809") == Value::decimal("-9223372036854775809"));
    CHECK(text::number("1.50") == Value{1.5});
    CHECK(text::number("0.30000000000000004") == Value{0.1 + 0.2});
    CHECK(text::number("0.1000000000000000055511151231257827") == Value{0.1});
    CHECK(text::number("0.10000000000000001") == Value{0.1});
    CHECK(text::number("0.1000000000000000150") == Value::decimal("0.1000000000000000150"));
    CHECK(text::number("1e400") == Value::decimal("1e400"));
    CHECK(text::number("1e-400") == Value::decimal("1e-400"));
    CHECK(text::number("+.5E+400") == Value::decimal("0.5e400"));
    CHECK(text::number("6.518515124270356e+91") == Value{6.518515124270356e+91});  // the shortest form, not the rounded one
    CHECK(text::number("0e400") == Value{0.0});
    CHECK(text::number("5e-324") == Value{5e-324});
    CHECK(text::number("1.7976931348623157e308") == Value{1.7976931348623157e308});
}

TEST_CASE("a double is written so that it reads back the same and as a double", "[number]") {
    for (const double d : {0.0, 1.0, -1.0, 0.1, 1e21, 1e22, 1e300, 5e-324, 1.7976931348623157e308, 123456789.0, 1e15, 1e16, 1.0 / 3})
        CHECK(text::number(text::double_text(d)) == Value{d});
}

TEST_CASE("a double with few digits behind the point is written as any other", "[number]") {
    const auto slow = [](double d) {
        std::array<char, 40> buffer{};
        std::string text{buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), d).ptr};
        return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    };
    std::mt19937_64 random{3};
    for (int i = 0; i < 5'000; ++i) {
        const auto digits = static_cast<double>(random() >> (1 + random() % 63));
        for (const double power : {1.0, 10.0, 100.0, 1000.0, 10'000.0}) {
            const double d = digits / power * (i % 2 == 0 ? 1 : -1);
            for (const double near : {d, std::nextafter(d, 0.0), std::nextafter(d, 1e308)}) REQUIRE(text::double_text(near) == slow(near));
        }
    }
    for (const double d : {0.001, -0.001, 0.01, 0.5, 0.0001, 0.999, 0.9995, 999'999'999'999.999, 999'999'999'999.9999, 1e12, 1e12 + 0.5, -0.0})
        CHECK(text::double_text(d) == slow(d));
}

TEST_CASE("durations keep their parts", "[duration]") {
    const auto round = [](std::string_view s) { return text::duration_text(*text::parse_duration(s)); };
    CHECK(round("P2Y3M4DT5H6M7S8u") == "P2Y3M4DT5H6M7S8u");
    CHECK(round("P14M") == "P1Y2M");
    CHECK(round("PT90S") == "PT1M30S");
    CHECK(round("P-1DT-2H") == "P-1DT-2H");
    CHECK(round("PT1.5S") == "PT1S500000u");
    CHECK(round("PT0.000000001S") == "PT0.000000001S");
    CHECK(round("PT-0.000000001S") == "PT-0.000000001S");
    CHECK(round("P0D") == "P0D");
    CHECK(text::parse_duration(text::duration_text({INT32_MIN, INT32_MAX, INT64_MIN})) == Duration{INT32_MIN, INT32_MAX, INT64_MIN});
    for (const char* bad :
         {"", "P", "PT", "1D", "P1", "P1X", "P1DT", "P1D1Y", "PT1S1H", "P1.5D", "PT1.S", "P99999999999D", "PT9999999999999H", "P1D ", "P--1D"})
        CHECK_FALSE(text::parse_duration(bad));
}

TEST_CASE("timestamps outside four digits of year have no text", "[timestamp]") {
    CHECK(text::timestamp_text({-62167219200, 0, 0, true}, false) == "0000-01-01T00:00:00Z");
    CHECK(text::timestamp_text({253402300799, 999'999'999, 0, true}, false) == "9999-12-31T23:59:59.999999999Z");
    CHECK(text::timestamp_text({253402300800, 0, 0, true}, false).empty());
    CHECK(text::timestamp_text({253402300800, 0, -60, true}, false) == "9999-12-31T23:00:00-01:00");
    CHECK(text::timestamp_text({-62167219201, 0, 0, true}, false).empty());
    CHECK(text::timestamp_text({INT64_MIN, 0, 0, true}, false).empty());
}
