// SPDX-License-Identifier: Apache-2.0
/// Options of the table that Qorus shares between HTTP and families without it: taken there, and without effect there as here.
#pragma once

#include <array>

#include <qconn/base/value.hpp>
#include <qconn/core/option.hpp>

#include "schemes/convert.hpp"

namespace qconn::schemes {

struct IdleOption {
    const char* name;
    OptionType type;
    Value example;
};
inline const std::array<IdleOption, 8>& idle_options() {
    static const std::array<IdleOption, 8> all{{{"assume_encoding", OptionType::string, "ISO-8859-1"},
                                                {"encode_chars", OptionType::string, "+"},
                                                {"error_passthru", OptionType::boolean, true},
                                                {"headers", OptionType::map, Map{{"Accept-Language", "en"}}},
                                                {"http_version", OptionType::string, "1.1"},
                                                {"max_redirects", OptionType::integer, 5},
                                                {"pre_encoded_urls", OptionType::boolean, true},
                                                {"redirect_passthru", OptionType::boolean, true}}};
    return all;
}

template <class Options>
void add_idle_options(OptionTable<Options>& table) {
    for (const IdleOption& one : idle_options()) {
        OptionSpec& spec = table.add(one.name, one.type, "Of HTTP; taken because Qorus takes it, without effect", nullptr);
        spec.example = one.example;
    }
}

/// Warns of those that are given.
inline void check_idle_options(const Definition& definition, Findings& findings) {
    for (const IdleOption& one : idle_options()) {
        if (is_set(definition, one.name)) findings.warning(one.name, "unused-option", "this is an option of HTTP, without effect here");
    }
}

}  // namespace qconn::schemes
