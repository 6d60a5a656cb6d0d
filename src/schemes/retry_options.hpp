// SPDX-License-Identifier: Apache-2.0
/// The options retry_… of every scheme over HTTP.
#pragma once

#include <string>
#include <utility>

#include <qconn/core/option.hpp>
#include <qconn/http/http_client.hpp>

#include "http/target.hpp"

namespace qconn::schemes {

/// `Options` is HttpOptions or derives from it.
template <class Options>
void add_retry_options(OptionTable<Options>& table) {
    const auto time = [&table](const char* name, std::chrono::milliseconds RetryPolicy::*member, const char* help) {
        OptionSpec& spec = table.add(name, OptionType::integer, help,
                                     [member](Options& o, const Value& v) { o.retry.*member = std::chrono::milliseconds{v.as_int64()}; });
        spec.unit = Unit::milliseconds;
        const RetryPolicy defaults;
        spec.fallback = static_cast<long long>((defaults.*member).count());
        spec.minimum = 0;
        spec.maximum = 86'400'000;
        spec.example = 1000;
    };
    {
        OptionSpec& spec =
            table.add("retries", OptionType::integer,
                      "How often a call that failed is made once more: after errors of connections and the statuses of retry_statuses, if it may be "
                      "carried out twice (GET, HEAD, PUT, DELETE, OPTIONS, TRACE, what a call marks as repeatable, and retry_methods)",
                      [](Options& o, const Value& v) { o.retry.attempts = static_cast<int>(v.as_int64()) + 1; });
        spec.fallback = 0;
        spec.minimum = 0;
        spec.maximum = 100;
        spec.example = 3;
    }
    time("retry_backoff", &RetryPolicy::backoff, "Wait before the first retry, half of it by chance; twice as long before each further one");
    time("retry_max_backoff", &RetryPolicy::max_backoff, "Longest such wait");
    time("retry_max_after", &RetryPolicy::max_retry_after,
         "Longest time to wait that an answer may ask for (Retry-After); one that asks for more is the result");
    {
        OptionSpec& spec =
            table.add("retry_statuses", OptionType::list, "Statuses of answers after which a call is made once more", [](Options& o, const Value& v) {
                o.retry.statuses.clear();
                for (const auto& one : v.as_list()) o.retry.statuses.push_back(static_cast<int>(one.as_int64()));
            });
        spec.fallback_text = "408, 429, 502, 503, 504";
        spec.example = List{429, 503};
        spec.check = [](const Value& list) {
            for (const auto& one : list.as_list()) {
                if (!one.is_integer() || one.as_int64() < 400 || one.as_int64() > 599)
                    return std::string{"each element must be a status from 400 to 599"};
            }
            return std::string{};
        };
    }
    {
        OptionSpec& spec = table.add("retry_methods", OptionType::list,
                                     "Further methods that may be tried again, though a server that failed late may then do twice what was asked",
                                     [](Options& o, const Value& v) {
                                         o.retry.methods.clear();
                                         for (const auto& one : v.as_list()) o.retry.methods.emplace_back(one.as_string());
                                     });
        spec.fallback_text = "none";
        spec.example = List{"POST"};
        spec.check = [](const Value& list) {
            for (const auto& one : list.as_list()) {
                if (!one.is_string() || !http::is_token(one.as_string())) return std::string{"each element must be a method such as POST"};
            }
            return std::string{};
        };
    }
    {
        OptionSpec& spec =
            table.add("retry_budget", OptionType::integer,
                      "How many retries there may be for each 100 calls, beside a first ten: a server in trouble gets no multiple of its load",
                      [](Options& o, const Value& v) { o.retry.budget = static_cast<int>(v.as_int64()); });
        spec.unit = Unit::percent;
        spec.fallback = 20;
        spec.minimum = 0;
        spec.maximum = 1000;
        spec.example = 50;
    }
}

}  // namespace qconn::schemes
