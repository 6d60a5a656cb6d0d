// SPDX-License-Identifier: Apache-2.0
// One list by HTTP. A plain blocking transfer on a thread of the pool: rare, small, and nothing depends on its speed.
#include <curl/curl.h>
#include <openssl/types.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "base/text.hpp"
#include "net/crl.hpp"
#include "net/curl_driver.hpp"

namespace qconn::net {

namespace {

constexpr long k_max_redirects = 3;

struct CurlFree {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};

struct Body {
    std::string bytes;
    bool too_large{false};
};

std::size_t take(char* data, std::size_t, std::size_t size, void* to) noexcept {
    auto& body = *static_cast<Body*>(to);
    body.too_large = body.bytes.size() + size > k_max_crl;
    if (body.too_large) return 0;
    try {
        body.bytes.append(data, size);
    } catch (...) { return 0; }
    return size;
}

FetchedCrl fetch_one(const std::string& url, X509* issuer, Deadline limit) {
    using std::chrono::milliseconds;
    const auto left = std::chrono::duration_cast<milliseconds>(limit.remaining()).count();
    if (left <= 0) return {nullptr, url + ": no time was left", false};
    curl_global_setup();
    const std::unique_ptr<CURL, CurlFree> easy{curl_easy_init()};
    if (!easy) return {nullptr, url + ": no memory"};
    Body body;
    char words[CURL_ERROR_SIZE]{};
    curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http");  // a list is signed; https would need a list itself
    curl_easy_setopt(easy.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http");
    curl_easy_setopt(easy.get(), CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_MAXREDIRS, k_max_redirects);
    curl_easy_setopt(easy.get(), CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(std::min<long long>(left, std::numeric_limits<long>::max())));
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
    const CURLcode code = curl_easy_perform(easy.get());
    if (body.too_large) return {nullptr, url + ": it is larger than 64 MiB"};
    if (code != CURLE_OK) return {nullptr, url + ": " + text::printable(words[0] != '\0' ? words : curl_easy_strerror(code))};
    auto read = read_crls(body.bytes);
    if (read.lists.empty()) return {nullptr, url + ": " + read.trouble};
    if (auto problem = crl_problem(read.lists.front().get(), issuer); !problem.empty()) return {nullptr, url + ": " + problem};
    return {std::move(read.lists.front()), {}};
}

}  // namespace

FetchedCrl fetch_crl(const CrlWant& want, Deadline limit) {
    FetchedCrl last{nullptr, {}, false};
    for (const auto& url : want.source) {
        auto one = fetch_one(url, want.issuer.get(), limit);
        if (one.tried || !last.tried) last = std::move(one);
        if (last.list) break;
    }
    return last;
}

}  // namespace qconn::net
