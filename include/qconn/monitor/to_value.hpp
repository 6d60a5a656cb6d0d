// SPDX-License-Identifier: Apache-2.0
/// What a monitor tells as plain data: the one form for programs, which the tool's JSON and webhooks share. docs/events.md has the members.
#pragma once

#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>
#include <qconn/monitor/certificate.hpp>
#include <qconn/monitor/event.hpp>
#include <qconn/monitor/history.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/monitor/outage.hpp>

namespace qconn {

/// Maps of text, numbers, null, lists of text and such maps, always with the same members in the same order. Text is valid UTF-8, whatever a peer has
/// sent: U+FFFD stands for what was not. Members may be added by later versions.
QCONN_API Value to_value(const Event& event);
QCONN_API Value to_value(const Alert& alert);
QCONN_API Value to_value(const ConnectionStatus& status);
QCONN_API Value to_value(const Silence& silence);
QCONN_API Value to_value(const Outage& outage);
QCONN_API Value to_value(const InterfaceInfo& interface);
QCONN_API Value to_value(const ConnectionCertificate& certificate);
QCONN_API Value to_value(const ConnectionCredential& credential);
QCONN_API Value to_value(const ConnectionHistory& history);
QCONN_API Value to_value(const PastOutage& outage);

}  // namespace qconn
