// SPDX-License-Identifier: Apache-2.0
/// Interfaces that write down what is asked of them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/monitor/interface.hpp>

namespace qconn::testing {

/// What was started ("+orders") and stopped ("-orders"), in order: "-orders -gateway +gateway +orders".
/// @note Thread-safe. A handle; copies mean the same diary, and its interfaces keep it.
class QCONN_API Diary {
public:
    Diary();

    /// For add_interface: a service whose functions write, and do nothing else.
    InterfaceOptions options(std::string name, std::vector<std::string> provides = {}) const;
    void add(std::string_view what) const;
    std::string text() const;
    void clear() const;
    /// Waits until text() is that. @returns false where it was something else still at the deadline
    bool wait_for(std::string_view text, Deadline deadline = std::chrono::seconds{10}) const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace qconn::testing
