// SPDX-License-Identifier: Apache-2.0
/// Silences and acknowledgements in the form in which they are kept among the operator settings: maps of texts.
#pragma once

#include <chrono>
#include <optional>

#include <qconn/base/value.hpp>
#include <qconn/core/silence.hpp>

namespace qconn::core {

/// `{"kind": "mute", "from": "2026-01-31T02:00:00Z", "until": …, "by": "ann", "note": "new disks"}`; what is empty is left out.
Map silence_map(const Silence& silence);
/// Nothing where the kind is unknown or a time is none, has no zone or comes in the wrong order: then nobody can say when it would end.
std::optional<Silence> silence_of(const Map& map);
/// The same of one that may not be there, without those that are over.
std::optional<Silence> silence_of(const std::optional<Map>& map, std::chrono::system_clock::time_point now);

/// `{"by": "ann", "note": "on it", "at": "2026-01-31T02:00:00.123456789Z"}`
Map acknowledgement_map(const Acknowledgement& acknowledgement);
std::optional<Acknowledgement> acknowledgement_of(const Map& map);

}  // namespace qconn::core
