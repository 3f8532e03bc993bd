#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace hysteron {

/// What went wrong, as far as a caller or a shell needs to tell apart; the value is the program's exit code.
enum class ErrorKind {
  kUsage = 2,         ///< the call itself is wrong
  kBadInput = 3,      ///< a file or a value the user gave is wrong
  kSimulator = 4,     ///< the simulator is missing, failed or ran out of time
  kLimitMissed = 5,   ///< everything ran, and a limit the user asked to check was missed
  kInterrupted = 130  ///< the user interrupted; what could be saved was saved
};

/// The one exception the libraries throw. The message names the file, the place, the value and what was expected.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

inline Error bad_input(const std::string& message) { return {ErrorKind::kBadInput, message}; }
inline Error simulator_error(const std::string& message) { return {ErrorKind::kSimulator, message}; }

/// `text` between single quotes with control characters and quotes escaped, for use in messages.
std::string quoted(const std::string& text);
// Without this one, std::quoted would be the better match for a plain std::string wherever <iomanip> is seen.
inline std::string quoted(std::string& text) { return quoted(std::as_const(text)); }

}  // namespace hysteron
