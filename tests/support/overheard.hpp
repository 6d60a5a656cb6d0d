// SPDX-License-Identifier: Apache-2.0
/// What is told of dialogues: to who listens, and to the log.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <qconn/base/log.hpp>
#include <qconn/net/dialogue_log.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn::test {

class Overheard {
public:
    DialogueListener listener() const {
        return [state = state_](const DialogueLine& line) { state->add(state->lines, std::string{line.mark()}.append(line.text)); };
    }
    /// One whose log goes here too, at level debug: "info smtp-sent > QUIT".
    Runtime runtime() const {
        RuntimeOptions options;
        options.log =
            Log{LogLevel::debug, [state = state_](const LogRecord& record) {
                    state->add(state->log, std::string{to_string(record.level)}.append(" ").append(record.event).append(" ").append(record.text));
                }};
        return Runtime{options};
    }

    /// Each with its end.
    std::string lines() const { return state_->read(state_->lines); }
    std::string log() const { return state_->read(state_->log); }
    bool has_line(std::string_view beginning) const { return ("\n" + lines()).find(std::string{"\n"}.append(beginning)) != std::string::npos; }
    bool has_record(std::string_view beginning) const { return ("\n" + log()).find(std::string{"\n"}.append(beginning)) != std::string::npos; }
    /// In either.
    bool shows(std::string_view words) const { return (lines() + log()).find(words) != std::string::npos; }

private:
    struct State {
        void add(std::string& to, std::string_view line) {
            const std::scoped_lock lock{mutex};
            to.append(line).append("\n");
        }
        std::string read(const std::string& from) {
            const std::scoped_lock lock{mutex};
            return from;
        }
        std::mutex mutex;
        // Guarded by mutex:
        std::string lines;
        std::string log;
    };
    const std::shared_ptr<State> state_{std::make_shared<State>()};
};

}  // namespace qconn::test
