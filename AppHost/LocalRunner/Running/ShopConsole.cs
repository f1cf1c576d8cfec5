namespace Shop.LocalRunner.Running;

/// <summary>The runner's own messages and the parts' logs, each line with its part's name, coloured on a terminal.</summary>
internal sealed class ShopConsole(TextWriter output, IReadOnlyList<string> titles)
{
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
    private static readonly bool Coloured = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    // a detached shop has no console: the logs are in their files, and what is written goes to the one who waits for it
    private static readonly bool WithLogs = Environment.GetEnvironmentVariable("SHOP_DETACHED") != "1";
    private readonly int _width = titles.Append("").Max(title => title.Length);

    /// <summary>Writes a message of the runner.</summary>
    public void Message(string message) => Write(message);

    /// <summary>Writes a line of a part's log.</summary>
    public void Line(string title, string line)
    {
        if (!WithLogs) return;
        var prefix = title.PadRight(_width);
        Write(Coloured ? $"\e[{Colours[titles.ToList().IndexOf(title) % Colours.Length]}m{prefix}\e[0m | {line}" : $"{prefix} | {line}");
    }

    private void Write(string line)
    {
        try
        {
            output.WriteLine(line);
        }
        catch (IOException) { } // the terminal is gone; the shop need not go with it before SIGHUP says so
    }
}
