// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/url.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"

using namespace qconn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    (void)mask_url(text);

    std::size_t length = 0;
    const auto parts = split_urls(text);
    for (const auto part : parts) {
        QCONN_REQUIRE(part.find('|') == std::string_view::npos);
        length += part.size();
    }
    QCONN_REQUIRE(!parts.empty() && length + parts.size() - 1 <= size);

    auto url = Url::try_parse(text);
    if (!url) return 0;
    const std::string revealed = url->reveal();
    const auto again = Url::try_parse(revealed);
    // Without a scheme, or with a '/' in the user's name, the same text may be a path: what else stands in it decides.
    const bool is_plain = !url->scheme.empty() && (!url->username || url->username->find_first_of("/?") == std::string::npos);
    QCONN_REQUIRE(!is_plain || (again && *again == *url));
    if (!url->password) return 0;
    // What the password is makes no difference to the masked form.
    Url other = *url;
    other.password = Secret{"another"};
    QCONN_REQUIRE(url->masked() == other.masked());
    // A password that can be told from the rest is in no masked form.
    constexpr std::size_t k_shortest = 4;
    const std::string_view password = url->password->reveal();
    if (password.size() < k_shortest || password.find_first_of("<>") != std::string_view::npos || k_masked.find(password) != std::string_view::npos)
        return 0;
    if (revealed.find(password) != revealed.rfind(password)) return 0;
    QCONN_REQUIRE(mask_url(revealed).find(password) == std::string::npos);
    QCONN_REQUIRE(url->masked().find(password) == std::string::npos);
    return 0;
}
