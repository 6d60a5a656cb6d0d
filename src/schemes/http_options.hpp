// SPDX-License-Identifier: Apache-2.0
/// The options that every scheme over HTTP has.
#pragma once

#include <qconn/core/option.hpp>
#include <qconn/http/http_client.hpp>

#include "schemes/http_address.hpp"
#include "schemes/proxy_options.hpp"
#include "schemes/retry_options.hpp"
#include "schemes/socket_options.hpp"
#include "schemes/tls_options.hpp"

namespace qconn::schemes {

/// Adds everything but the codings. `Options` is HttpOptions or derives from it.
template <class Options>
void add_http_options(OptionTable<Options>& table) {
    const auto milliseconds = [&table](std::string name, std::chrono::milliseconds HttpOptions::*member, std::string help) {
        OptionSpec& spec = table.add(std::move(name), member, OptionType::integer, std::move(help));
        spec.unit = Unit::milliseconds;
        spec.fallback = 45'000;
        spec.minimum = 0;
        spec.maximum = 2'147'483'647.0;
        spec.example = 10'000;
    };
    const auto size = [&table](std::string name, std::size_t HttpOptions::*member, Unit unit, double minimum, std::string help) {
        OptionSpec& spec = table.add(std::move(name), member, OptionType::integer, std::move(help));
        spec.unit = unit;
        const HttpOptions defaults;
        spec.fallback = static_cast<unsigned long long>(defaults.*member);
        spec.minimum = minimum;
        spec.example = spec.fallback;
    };
    const auto flag = [&table](std::string name, bool HttpOptions::*member, std::string help) {
        OptionSpec& spec = table.add(std::move(name), member, OptionType::boolean, std::move(help));
        spec.fallback = false;
        spec.example = true;
    };

    milliseconds("connect_timeout", &HttpOptions::connect_timeout, "Longest time to get a connection: name, TCP, proxy, TLS; 0: no limit");
    milliseconds("timeout", &HttpOptions::timeout, "Longest silence of the server, not the time of a whole call; 0: no limit");
    {
        OptionSpec& spec = table.add("username", &HttpOptions::username, OptionType::string,
                                     "User for basic authentication; only together with password, and only where the URL has neither");
        spec.example = "edi";
    }
    {
        OptionSpec& spec =
            table.add("password", &HttpOptions::password, OptionType::string, "Password for basic authentication; only together with username");
        spec.sensitive = true;
        spec.example = "${env:SHOP_PASSWORD}";
    }
    {
        OptionSpec& spec = table.add("headers", OptionType::map, "Sent with each request; those of a call win over these",
                                     [](Options& o, const Value& v) { o.headers = headers_of(v); });
        spec.pairs_text = true;
        spec.example = Map{{"Accept-Language", "en"}};
        spec.check = headers_problem;
    }
    {
        OptionSpec& spec = table.add("http_version", &HttpOptions::http_version, OptionType::string, "Protocol version of the requests");
        spec.fallback = "1.1";
        spec.allowed = {{"1.0", ""}, {"1.1", ""}, {"2", "over TLS by ALPN, otherwise with prior knowledge"}};
        spec.example = "2";
    }
    add_retry_options(table);
    flag("cookies", &HttpOptions::cookies, "Keep the cookies that servers set, in memory, and send them where they belong");
    add_proxy_options(table);
    {
        OptionSpec& spec =
            table.add("max_redirects", &HttpOptions::max_redirects, OptionType::integer, "Redirects followed in one call; 0: a redirect is an error");
        spec.fallback = 5;
        spec.minimum = 0;
        spec.maximum = 1000;
        spec.example = 2;
    }
    {
        OptionSpec& spec = table.add("redirect_mode", OptionType::string, "How redirects are followed", [](Options& o, const Value& v) {
            o.redirects = v.as_string() == "repeat" ? RedirectMode::repeat : v.as_string() == "none" ? RedirectMode::none : RedirectMode::standard;
        });
        spec.fallback = "standard";
        spec.allowed = {{"standard", "301, 302 and 303 turn a POST into GET, 307 and 308 repeat it"},
                        {"repeat", "method and body are repeated for every status, as Qorus does"},
                        {"none", "the 3xx answer is the result"}};
        spec.example = "repeat";
    }
    {
        OptionSpec& spec =
            table.add("redirect_passthru", OptionType::boolean,
                      "Redirects are not followed, the 3xx answer is the result; the same as redirect_mode none", [](Options& o, const Value& v) {
                          if (v.as_bool()) o.redirects = RedirectMode::none;
                      });
        spec.fallback = false;
        spec.example = true;
    }
    flag("error_passthru", &HttpOptions::error_passthru, "Answers with a status from 400 on are returned like any other instead of raised as errors");
    {
        OptionSpec& spec = table.add("assume_encoding", &HttpOptions::assume_charset, OptionType::string, "Charset of answers that name none");
        spec.example = "ISO-8859-1";
    }
    {
        OptionSpec& spec = table.add("encode_chars", &HttpOptions::encode_characters, OptionType::string,
                                     "Characters that are percent-encoded in paths, in addition to blanks and control characters");
        spec.example = "+";
    }
    flag("pre_encoded_urls", &HttpOptions::pre_encoded_paths,
         "Paths of calls are encoded already: one of { } | \\ ^ ~ [ ] or a backtick in a path is an error");
    {
        OptionSpec& spec = table.add("disable_automatic_pings", OptionType::boolean,
                                     "The standard ping, which a monitor makes, succeeds without any I/O; pings to a named depth are made", nullptr);
        spec.fallback = false;
        spec.example = true;
    }
    size("max_head_size", &HttpOptions::max_head, Unit::bytes, 1024, "Largest head of an answer");
    size("max_body_size", &HttpOptions::max_body, Unit::bytes, 0, "Largest body of an answer, after decoding");
    size("max_expansion", &HttpOptions::max_expansion, Unit::none, 1, "How many times larger than received a decoded body above 1 MiB may be");
    size("max_idle", &HttpOptions::max_idle, Unit::none, 0, "Connections kept for further requests");
    add_socket_options(table);
    add_tls_options(table);
}

/// Adds the codings of bodies.
template <class Options>
void add_coding_options(OptionTable<Options>& table) {
    {
        OptionSpec& spec = table.add("accept_encodings", OptionType::list, "Content codings offered to the server and decoded; an empty list: none",
                                     [](Options& o, const Value& v) {
                                         o.accept_codings.clear();
                                         for (const auto& one : v.as_list()) o.accept_codings.emplace_back(one.as_string());
                                     });
        spec.fallback_text = "gzip, deflate, br, zstd, bzip2";
        spec.example = List{"gzip"};
        spec.check = codings_problem;
    }
    {
        OptionSpec& spec = table.add("send_encoding", OptionType::string, "Content coding of larger request bodies", [](Options& o, const Value& v) {
            o.send_coding = v.as_string() == "auto" ? "gzip" : v.as_string() == "identity" ? "" : std::string{v.as_string()};
        });
        spec.fallback_text = "none";
        spec.allowed = {{"auto", "gzip"}, {"gzip", ""}, {"deflate", ""}, {"br", ""}, {"zstd", ""}, {"bzip2", ""}, {"identity", "none"}};
        spec.example = "gzip";
    }
    {
        OptionSpec& spec =
            table.add("compress_above", &HttpOptions::compress_above, OptionType::integer, "Smaller request bodies are not compressed");
        spec.unit = Unit::bytes;
        spec.fallback = 1024;
        spec.minimum = 0;
        spec.example = 4096;
    }
}

}  // namespace qconn::schemes
