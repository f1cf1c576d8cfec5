using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Shop.Cli;

/// <summary>The process's standard output, for commands that write much.</summary>
internal static class StandardOutput
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>A buffered writer; it has to be flushed.</summary>
    /// <remarks>
    /// .NET's console goes on writing to a pipe whose reader is gone: <c>./shop events --follow | head</c> would never end.
    /// Of a file it is the other way round: a FileStream keeps a position of its own, and would write over what else comes to it.
    /// </remarks>
    public static StreamWriter Open()
    {
        var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        return new(stream.CanSeek ? Console.OpenStandardOutput() : stream, Utf8, bufferSize: 32 * 1024);
    }
}
