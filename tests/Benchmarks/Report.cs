using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop.Benchmarks;

/// <summary>What something else achieved with the same work in the same run.</summary>
public sealed record Baseline(string Name, double Value, string Unit);

/// <summary>A measured number.</summary>
/// <param name="Name">What was measured, for example <c>broker.produce</c>.</param>
/// <param name="Value">The number.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Baseline">Its denominator, where there is one.</param>
/// <param name="Goal">What it should reach: of <see cref="Ratio"/> where there is a baseline, else of <see cref="Value"/>.</param>
/// <param name="LowerIsBetter">Whether the goal is a limit from above.</param>
public sealed record Result(string Name, double Value, string Unit, Baseline? Baseline, double Goal, [property: JsonIgnore] bool LowerIsBetter)
{
    /// <summary>The number by its baseline.</summary>
    public double? Ratio => Baseline is { Value: > 0 } ? Math.Round(Value / Baseline.Value, 3) : null;

    /// <summary>The goal is of <see cref="Value"/>, though there is a baseline.</summary>
    [JsonIgnore]
    public bool IsGoalOfValue { get; init; }

    private double Measured => IsGoalOfValue ? Value : Ratio ?? Value;

    /// <summary>Whether the goal is reached.</summary>
    public bool Met => LowerIsBetter ? Measured <= Goal : Measured >= Goal;
}

/// <summary>Collects results and prints them for people or for programs.</summary>
public sealed class Report
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    private readonly List<Result> _results = [];

    /// <summary>Shows what is being done, on the error stream, so that the output stays the result.</summary>
    public static void Progress(string text) => Console.Error.WriteLine(text);

    /// <summary>Adds a result and shows it at once.</summary>
    public void Add(Result result)
    {
        _results.Add(result);
        Progress(Line(result));
    }

    /// <summary>Adds a share, which is compared with its goal and not by its baseline: twice as good as bad is no merit.</summary>
    public void AddShare(string name, double value, Baseline baseline, double goal, bool lowerIsBetter = false) =>
        Add(new(name, Math.Round(value, 4), "share", baseline with { Value = Math.Round(baseline.Value, 4) }, goal, lowerIsBetter) { IsGoalOfValue = true });

    /// <summary>The results as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(new
    {
        Machine = new { Cores = Environment.ProcessorCount, System = RuntimeInformation.OSDescription, Runtime = RuntimeInformation.FrameworkDescription },
        Results = _results,
    }, Json);

    /// <summary>The results as a table.</summary>
    public string ToTable()
    {
        var table = new StringBuilder();
        foreach (var result in _results)
            table.AppendLine(Line(result));
        return table.ToString().TrimEnd();
    }

    private static string Line(Result result)
    {
        var baseline = result.Baseline is { } b ? string.Create(CultureInfo.InvariantCulture, $"{b.Name} {Number(b.Value, b.Unit),12}   ratio {result.Ratio,6:N2}") : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{result.Name,-28} {Number(result.Value, result.Unit),12} {result.Unit,-10} {baseline,-44} goal {(result.LowerIsBetter ? "<=" : ">=")} {result.Goal:0.##}  {(result.Met ? "met" : "MISSED")}");
    }

    private static string Number(double value, string unit) => value.ToString(unit == "share" ? "0.0000" : "N1", CultureInfo.InvariantCulture);
}
