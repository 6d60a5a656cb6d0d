// SPDX-License-Identifier: Apache-2.0
/// A Proxy told to libcurl, and what libcurl says of it.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>

#include <qconn/net/endpoint.hpp>

#include "net/proxy_refusal.hpp"

namespace qconn::net {

struct CurlListDeleter {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;

/// The fields for CURLOPT_PROXYHEADER; null where there are none.
CurlList proxy_headers(const Proxy& proxy);

/// The proxy of the next transfers; null: none.
/// @param headers  of proxy_headers(); lives as long as the handle uses it
void set_proxy(CURL* easy, const Proxy* proxy, curl_slist* headers);

/// The CURLAUTH_ bits that may be used.
unsigned long curl_auth(const Proxy& proxy) noexcept;

/// Why a transfer ended with CURLE_PROXY; not CURLPX_RESOLVE_HOST, which is about the name of the target.
ProxyRefusal refusal_of_curl(long proxy_code, bool with_login) noexcept;

}  // namespace qconn::net
