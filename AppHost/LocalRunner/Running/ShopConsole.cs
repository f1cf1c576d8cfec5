namespace Shop.LocalRunner.Running;

/// <summary>The runner's own messages and the parts' logs on the console, each line with its part's name, coloured on a terminal.</summary>
internal sealed class ShopConsole(IReadOnlyList<string> titles)
{
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
    private static readonly bool Coloured = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    // a detached shop has no console: the logs are in their files, and what is written goes to the one who waits for it
    private static readonly bool WithLogs = Environment.GetEnvironmentVariable("SHOP_DETACHED") != "1";
    private readonly int _width = titles.Append("").Max(title => title.Length);

    /// <summary>Writes a message of the runner.</summary>
    public static void Message(string message) => Console.WriteLine(message);

    /// <summary>Writes a line of a part's log.</summary>
    public void Line(string title, string line)
    {
        if (!WithLogs) return;
        var prefix = title.PadRight(_width);
        Console.WriteLine(Coloured ? $"\e[{Colours[titles.ToList().IndexOf(title) % Colours.Length]}m{prefix}\e[0m | {line}" : $"{prefix} | {line}");
    }
}
